"""A running sandbox, and signing in to it the way a person's computer does."""

import html.parser
import json
import os
import subprocess
import urllib.parse
import urllib.request

CALENDAR = "https://www.googleapis.com/auth/calendar"


class Sandbox:
    """Starts `bookiji-sandbox` and ends it again."""

    def __init__(self, binary, *words):
        self.process = subprocess.Popen(
            [binary, "serve", *words], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
        )
        self.url = json.loads(self.process.stdout.readline())["listening"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(timeout=10)

    def call(self, method, path, body=None, headers=None):
        data = None if body is None else json.dumps(body).encode()
        headers = {"content-type": "application/json", **(headers or {})}
        request = urllib.request.Request(self.url + path, data=data, method=method, headers=headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def state(self):
        return self.call("GET", "/_sandbox/state")

    def edit(self, **order):
        return self.call("POST", "/_sandbox/edit", order)

    def fault(self, **fault):
        return self.call("POST", "/_sandbox/faults", fault)

    def bookiji_token(self):
        vendor = self.state()["vendor"]
        body = {"email": vendor["email"], "password": vendor["password"]}
        path = "/supabase/auth/v1/token?grant_type=password"
        return self.call("POST", path, body, {"apikey": "sb_publishable_sandbox"})["access_token"]

    def google_credentials(self, scopes):
        """Signs in with Google's own library for installed apps, through the consent page."""
        # Google's library refuses plain HTTP unless told that this is a test.
        os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"
        from google_auth_oauthlib.flow import Flow

        settings = self.settings()
        flow = Flow.from_client_config(
            {
                "installed": {
                    "client_id": settings["google_client_id"],
                    "client_secret": settings["google_client_secret"],
                    "auth_uri": self.url + "/google/o/oauth2/v2/auth",
                    "token_uri": self.url + "/google/token",
                }
            },
            scopes=scopes,
            redirect_uri="http://127.0.0.1:49152/",
            autogenerate_code_verifier=True,
        )
        address, state = flow.authorization_url(access_type="offline", prompt="consent")
        answer = self.consent(address)
        assert urllib.parse.parse_qs(urllib.parse.urlparse(answer).query)["state"] == [state]
        flow.fetch_token(authorization_response=answer)
        return flow.credentials

    def consent(self, address):
        """Loads the page, presses Continue, and gives back where the browser is sent."""
        with urllib.request.urlopen(address, timeout=30) as page:
            form = Form(page.read().decode())
        fields = urllib.parse.urlencode([*form.fields, ("decision", "allow")]).encode()
        request = urllib.request.Request(self.url + form.action, data=fields, method="POST")
        try:
            urllib.request.build_opener(Stay).open(request, timeout=30)
        except urllib.error.HTTPError as redirect:
            assert redirect.code == 302, redirect.code
            return redirect.headers["location"]
        raise AssertionError("the consent page did not send the browser back")

    def settings(self):
        # Known without a file: the sandbox has one client.
        return {
            "google_client_id": "000000000000-sandbox.apps.googleusercontent.com",
            "google_client_secret": "GOCSPX-sandbox-not-a-secret",
        }


class Stay(urllib.request.HTTPRedirectHandler):
    """Does not follow: nobody listens where the redirect leads."""

    def redirect_request(self, *_):
        return None


class Form(html.parser.HTMLParser):
    """The one form of a page, filled in as it stands."""

    def __init__(self, text):
        super().__init__()
        self.action = None
        self.fields = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "form":
            self.action = attributes["action"]
        ticked = attributes.get("type") not in ("radio", "checkbox") or "checked" in attributes
        if tag == "input" and ticked:
            self.fields.append((attributes["name"], attributes["value"]))
