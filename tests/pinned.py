"""Python and Node packages at the versions that a folder pins, brought into a cache folder once."""

import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import venv

PINS = ("requirements.txt", "package.json", "package-lock.json")


def brought(here, root):
    """A folder with everything that `here` pins, named by its pins; made whole or not at all."""
    pinned = [name for name in PINS if (here / name).exists()]
    pins = hashlib.sha256(b"".join((here / name).read_bytes() for name in pinned)).hexdigest()[:16]
    folder = (root / f"{pins}-py{sys.version_info.major}.{sys.version_info.minor}").resolve()
    if (folder / "complete").exists():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    print(f"{here.name}: fetching the tools into {folder}", file=sys.stderr)
    venv.create(folder / "venv", with_pip=True)
    pip = [python(folder), "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    quiet(here.name, *pip, "-r", here / "requirements.txt")
    if "package.json" in pinned:
        for name in PINS[1:]:
            shutil.copy(here / name, folder)
        npm = shutil.which("npm") or sys.exit(f"{here.name}: npm is missing; install Node.js 20 or newer")
        quiet(here.name, npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", cwd=folder)
    (folder / "complete").touch()
    return folder


def python(folder):
    return folder / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"


def runs_inside(folder):
    """Whether this is the Python that has the packages."""
    return pathlib.Path(sys.prefix).resolve() == (folder / "venv").resolve()


def quiet(who, *command, cwd=None):
    """Runs a command whose output matters only if it fails."""
    done = subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        sys.exit(f"{who}: {' '.join(map(str, command[:4]))} failed:\n{done.stdout[-4000:]}")
