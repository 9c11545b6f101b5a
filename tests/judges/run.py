#!/usr/bin/env python3
"""Judges the sandbox with tools that nobody here wrote: Google's and Microsoft's clients, Google's discovery
document, Microsoft's types, schemathesis.

usage: run.py PATH-OF-bookiji-sandbox [CACHE-FOLDER]

Makes its own virtual environment and Node folder in the cache folder, once. Prints one line per judge and exits 1 if
one of them objects.
"""

import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import pinned


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    binary = pathlib.Path(sys.argv[1]).resolve()
    cache = pinned.brought(HERE, pathlib.Path(sys.argv[2]) if len(sys.argv) == 3 else default_cache())
    if not pinned.runs_inside(cache):
        # The judges import Google's client, so this continues inside the environment that has it.
        sys.exit(subprocess.call([pinned.python(cache), __file__, binary, cache.parent]))
    verdicts = [judge(binary, cache) for judge in (google_client, prism, graph_client, graph_types, examples, schemathesis)]
    sys.exit(0 if all(verdicts) else 1)


def default_cache():
    base = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(base) / "bookiji-companion" / "judges"


def judge(name):
    """Makes a judge of a function that returns what it saw, or raises what it objects to."""

    def decorate(function):
        def run(binary, cache):
            began = time.monotonic()
            try:
                seen, verdict = function(binary, cache), "ok"
            except (AssertionError, OSError, subprocess.SubprocessError) as objection:
                seen, verdict = str(objection) or type(objection).__name__, "OBJECTS"
            print(f"{name:<32} {verdict:<8} {time.monotonic() - began:5.1f} s  {seen}", flush=True)
            return verdict == "ok"

        return run

    return decorate


def discovery_document():
    import googleapiclient

    folder = pathlib.Path(googleapiclient.__file__).parent / "discovery_cache" / "documents"
    return json.loads((folder / "calendar.v3.json").read_text(encoding="utf-8"))


@judge("google-api-python-client")
def google_client(binary, _):
    from google_client import flows
    from sandbox import Sandbox

    with Sandbox(binary, "--seed", "3") as sandbox:
        told = flows(discovery_document(), sandbox.url + "/google/calendar/v3/", sandbox)
    return f"{len(told)} flows: {', '.join(told)}"


@judge("prism, discovery document")
def prism(binary, cache):
    """The same flows through a proxy that holds every request and every answer to Google's own document."""
    from google_client import flows
    from sandbox import CALENDAR, Sandbox

    document = discovery_document()
    (cache / "calendar.v3.json").write_text(json.dumps(document), encoding="utf-8")
    swagger = cache / "calendar.swagger.json"
    pinned.quiet("judges", "node", HERE / "discovery.mjs", cache / "calendar.v3.json", swagger)
    log = cache / "prism.log"
    with Sandbox(binary, "--seed", "4") as sandbox, log.open("w") as output:
        port = free_port()
        command = ["node", cache / "node_modules" / "@stoplight" / "prism-cli" / "dist" / "index.js", "proxy"]
        command += ["-h", "127.0.0.1", "-p", str(port), "--errors", swagger, f"{sandbox.url}/google/calendar/v3"]
        proxy = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        try:
            url = f"http://127.0.0.1:{port}"
            wait_for(port, proxy)
            # With --errors, what Prism objects to becomes its own refusal, which no flow expects.
            told = flows(document, url + "/", sandbox)
            requests = sandbox.call("GET", "/_sandbox/requests")["google"]["total"]
            objects_to_nonsense(url, sandbox.google_credentials([CALENDAR]).token)
        finally:
            proxy.terminate()
            proxy.wait(timeout=10)
    return f"{requests} requests and answers, {len(told)} flows"


def objects_to_nonsense(url, token):
    """A judge that never objects is none."""
    body = json.dumps({"start": "tomorrow", "transparency": 5}).encode()
    headers = {"content-type": "application/json", "authorization": f"Bearer {token}"}
    request = urllib.request.Request(f"{url}/calendars/primary/events", data=body, headers=headers)
    try:
        urllib.request.urlopen(request, timeout=30)
    except urllib.error.HTTPError as refusal:
        assert refusal.code == 422, f"Prism let nonsense through: {refusal.code}"
    else:
        raise AssertionError("Prism let nonsense through")


@judge("MSAL and Microsoft's Graph SDK")
def graph_client(binary, _):
    from graph_client import flows
    from sandbox import Sandbox

    with Sandbox(binary, "--seed", "6", "--outlook") as sandbox:
        told, _ = flows(sandbox)
    return f"{len(told)} flows: {', '.join(told)}"


@judge("ajv, Microsoft's types")
def graph_types(binary, cache):
    """What was answered to Microsoft's client, held to the types that Microsoft publishes."""
    from graph_client import flows
    from sandbox import Sandbox

    with Sandbox(binary, "--seed", "7", "--outlook") as sandbox:
        _, answers = flows(sandbox)
    events = sum(answer["type"] == "event" for answer in answers)
    objections = types_object_to(cache, answers)
    assert not objections, "\n".join(objections[:20])
    # A judge that never objects is none.
    nonsense = ({"showAs": "occupied"}, {"start": "2026"}, {"summary": "Google's word"}, {"recurrence": {"pattern": {"daysOfWeek": ["MO"]}}})
    objections = types_object_to(cache, [{"type": "event", "body": body, "of": f"nonsense {n}"} for n, body in enumerate(nonsense)])
    for n, body in enumerate(nonsense):
        assert any(one.startswith(f"nonsense {n}:") for one in objections), f"nonsense was let through: {body}"
    return f"{len(answers)} objects in answers, {events} of them events"


def types_object_to(cache, answers):
    told = cache / "graph-answers.json"
    told.write_text(json.dumps(answers), encoding="utf-8")
    command = ["node", HERE / "graph_types.mjs", cache, told]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


@judge("the examples of our contract")
def examples(binary, _cache):
    """Every operation shows what it is asked and what it answers, and none of it breaks its own schema."""
    from jsonschema_rs import Draft202012Validator, Registry

    from sandbox import Sandbox

    with Sandbox(binary, "--seed", "5") as sandbox:
        document = sandbox.call("GET", "/bookiji/openapi.json")
    registry = Registry([("urn:contract", document)])
    shown, wrong = 0, []

    def look(content, *path):
        nonlocal shown
        place = "/" + "/".join(step.replace("~", "~0").replace("/", "~1") for step in path)
        if "example" not in content:
            wrong.append(f"{place} has no example")
            return
        shown += 1
        pointer = urllib.parse.quote(f"{place}/schema", safe="/~")
        validator = Draft202012Validator({"$ref": f"urn:contract#{pointer}"}, registry=registry, validate_formats=True)
        wrong.extend(f"{place}: {error.message}" for error in validator.iter_errors(content["example"]))

    def bodies(holder, *path):
        for kind, content in holder.get("content", {}).items():
            if kind == "application/json":
                look(content, *path, "content", kind)

    for route, operations in document["paths"].items():
        for method, operation in operations.items():
            if method == "parameters":
                continue
            here = ("paths", route, method)
            bodies(operation.get("requestBody", {}), *here, "requestBody")
            for status, answer in operation["responses"].items():
                bodies(answer, *here, "responses", status)
    for name, answer in document["components"]["responses"].items():
        bodies(answer, "components", "responses", name)
    assert not wrong, "\n".join(wrong[:20])
    return f"{shown} examples, version {document['info']['version']}"


@judge("schemathesis, our contract")
def schemathesis(binary, cache):
    from sandbox import Sandbox

    with Sandbox(binary, "--seed", "5") as sandbox:
        state = sandbox.state()
        booking = next(one["id"] for one in state["bookings"] if one["status"] == "confirmed")
        # What stands in a command line is seen by everybody on this computer.
        config = cache / "schemathesis.toml"
        signed_in = f'headers = {{ Authorization = "Bearer {sandbox.bookiji_token()}" }}\n'
        config.write_text(signed_in + (HERE / "schemathesis.toml").read_text(encoding="utf-8"), encoding="utf-8")
        command = [sys.executable, "-m", "schemathesis.cli", "--config-file", config, "--no-color", "run"]
        command += [sandbox.url + "/bookiji/openapi.json", "--url", sandbox.url + "/bookiji"]
        command += ["--checks", "all", "--max-examples", "25", "--seed", "1", "--continue-on-failure"]
        environment = {**os.environ, "SANDBOX_BOOKING": booking, "SANDBOX_VENDOR": state["vendor"]["id"]}
        done = subprocess.run(command, cwd=cache, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
    (cache / "schemathesis.log").write_text(done.stdout, encoding="utf-8")
    told = done.stdout[done.stdout.rfind("= SUMMARY =") :]
    assert done.returncode == 0, f"exit {done.returncode}, see {cache / 'schemathesis.log'}\n{told}"
    generated = re.search(r"(\d+) generated.*", told)
    operations = re.search(r"Tested: (\d+)", told)
    return f"{operations.group(1)} operations, {generated.group(0)}" if generated and operations else "passed"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(port, process):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, "Prism did not start"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError("Prism did not answer within a minute")


if __name__ == "__main__":
    main()
