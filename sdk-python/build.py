#!/usr/bin/env python3
"""Makes a component of the handler in the current folder: ``build = "python3 …/build.py"`` in ``handler.toml``.

The handler is imported once here, to see which webhooks it answers and what it uses of the host; the component's world
is made from that: it asks the host for what it uses and nothing else. componentize-py then starts Python and imports the
handler, once; each instance continues from that state. Tools are the project's own, in ``.venv``, pinned by
``requirements.txt``. ``--install`` only installs them.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
COMPONENT = Path("build/handler.wasm")
#: What COMPONENT was made from.
MADE_FROM = Path("build/made-from")
VENV = Path(".venv")
REQUIREMENTS = Path("requirements.txt")
#: Written when all of REQUIREMENTS is installed.
INSTALLED = VENV / "installed"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")

#: Run in the project's Python: which interfaces are answered, and which of the host are used.
LOOK = """
import json, sys
import handler
from hookswitch.handlers import registered
used = [name.removeprefix("hookswitch.testing.") for name in sys.modules if name.startswith("hookswitch.testing.")]
print(json.dumps({"exports": sorted(registered), "stand_ins": used}))
"""

#: What each part of the helper that has a stand-in imports.
IMPORTS = {name: name for name in ("carrier", "config", "log", "secrets", "session", "store")}
IMPORTS["http"] = "wasi:http/outgoing-handler@0.2.0"

#: What a handler may answer: class, method and argument of the interface.
CLASSES = {
    "voice": ("Voice", "answer", "call"),
    "messaging": ("Messaging", "receive", "message"),
    "events": ("Events", "notify", "event"),
}

#: The interface that each of them is; web requests log by themselves why they failed.
EXPORTS = {name: name for name in CLASSES} | {"web": "wasi:http/incoming-handler@0.2.0"}


class Refused(Exception):
    """Something the author can change."""


def main() -> None:
    if not REQUIREMENTS.exists():
        raise Refused("requirements.txt is not there; it pins componentize-py, as in `componentize-py==0.25.1`")
    install()
    if "--install" in sys.argv:
        return
    if not Path("handler.py").exists():
        raise Refused("handler.py is not there; expected the handler's functions in it, one marked with @on_call")
    recipe = recipe_of()
    if COMPONENT.exists() and MADE_FROM.exists() and MADE_FROM.read_text() == recipe:
        print(f"{COMPONENT} is up to date")
        return
    used = look()
    COMPONENT.parent.mkdir(exist_ok=True)
    MADE_FROM.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(prefix="hookswitch-") as work:
        componentize(Path(work), used)
    MADE_FROM.write_text(recipe)


def install() -> None:
    """Runs pip where .venv is not what requirements.txt says."""
    if INSTALLED.exists() and INSTALLED.read_bytes() == REQUIREMENTS.read_bytes():
        return
    print("installing what requirements.txt names into .venv (pip)", flush=True)
    try:
        venv.create(VENV, with_pip=True, clear=True)
    except (subprocess.CalledProcessError, OSError) as cause:
        raise Refused(f".venv could not be made ({cause}); is Python's venv module installed (python3-venv)?") from cause
    run([python(), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", str(REQUIREMENTS)], "pip failed")
    INSTALLED.write_bytes(REQUIREMENTS.read_bytes())


def look() -> dict[str, list[str]]:
    """What the handler answers and uses, by importing it."""
    found = subprocess.run(
        [python(), "-c", LOOK], env=environment(), stdout=subprocess.PIPE, text=True, check=False
    )
    if found.returncode != 0:
        raise Refused("handler.py could not be imported; what is wrong stands above")
    looked = json.loads(found.stdout.splitlines()[-1])
    stand_ins = {*looked["stand_ins"], *(["log"] if "web" in looked["exports"] else [])}
    used = {"exports": looked["exports"], "imports": sorted(IMPORTS[name] for name in stand_ins if name in IMPORTS)}
    if not used["exports"]:
        raise Refused("handler.py answers nothing; mark a function with @on_call, @on_message, @on_event or @on_web")
    return used


def componentize(work: Path, used: dict[str, list[str]]) -> None:
    wit = work / "wit"
    shutil.copytree(wit_folder(), wit)
    lines = [f"import {name};" for name in used["imports"]] + [f"export {EXPORTS[name]};" for name in used["exports"]]
    world = "".join(f"    {line}\n" for line in lines)
    (wit / "python-handler.wit").write_text(f"package hookswitch:handler@0.1.0;\n\nworld python-handler {{\n{world}}}\n")
    (work / "hookswitch_app.py").write_text(app(used))
    partial = COMPONENT.with_suffix(f".{os.getpid()}.partial")
    tool = str(BIN / "componentize-py")
    folders = [part for folder in (work, Path(), HERE) for part in ("-p", str(folder))]
    command = [tool, "-q", "-d", str(wit), "-w", "python-handler", "componentize", *folders, "hookswitch_app", "-o", str(partial)]
    try:
        run(command, "componentize-py failed")
        # Renamed into place, so that a host which loads the component now never sees a half.
        partial.replace(COMPONENT)
    finally:
        partial.unlink(missing_ok=True)


def app(used: dict[str, list[str]]) -> str:
    """The module that componentize-py wraps: a class for each interface, around the handler's functions."""
    text = "import handler\nfrom componentize_py_types import Err\nfrom hookswitch import handlers\nfrom wit_world import exports\n"
    webhooks = [name for name in used["exports"] if name in CLASSES]
    web = len(webhooks) < len(used["exports"])
    if web:
        text += "from hookswitch._wasi_web import handle\n"
    if webhooks:
        # Where wasi:http has types, too, those of the contract have their whole name.
        types = "hookswitch_handler_types" if web or IMPORTS["http"] in used["imports"] else "types"
        text += f"from wit_world.imports.{types} import Failure\n"
    if web:
        text += "\n\nclass IncomingHandler(exports.IncomingHandler):\n    def handle(self, request, response_out):\n"
        text += "        handle(request, response_out)\n"
    for name in webhooks:
        kind, method, argument = CLASSES[name]
        body = f"handlers.notify({argument})" if name == "events" else f"handlers.document({name!r}, {argument})"
        text += f"\n\nclass {kind}(exports.{kind}):\n    def {method}(self, {argument}):\n        try:\n            return {body}\n"
        text += "        except Exception as error:\n            raise Err(Failure(*handlers.failure_of(error))) from None\n"
    return text


def recipe_of() -> str:
    """All that the component depends on, as a digest: contract, helper, handler and what is installed."""
    folders = [wit_folder(), HERE / "hookswitch", Path()]
    skipped = {".venv", "build", "tests", "calls", "hookswitch", "__pycache__"}
    digest = hashlib.sha256(Path(__file__).read_bytes() + REQUIREMENTS.read_bytes())
    for folder in folders:
        for file in sorted(folder.rglob("*")):
            if file.suffix in (".py", ".wit") and not (folder == Path() and file.parts[0] in skipped):
                content = file.read_bytes()
                digest.update(f"{file} {len(content)} ".encode() + content)
    return digest.hexdigest()


def wit_folder() -> Path:
    """The contract: beside this file, or in the repository's folder."""
    return next(folder for folder in (HERE / "wit", HERE.parent / "wit") if folder.is_dir())


def python() -> str:
    return str(BIN / "python")


def environment() -> dict[str, str]:
    # VIRTUAL_ENV is where componentize-py looks for packages; the author's shell may have another one.
    own = {"PYTHONPATH": os.pathsep.join([str(HERE), "."]), "PYTHONDONTWRITEBYTECODE": "1", "VIRTUAL_ENV": str(VENV.resolve())}
    return {**os.environ, **own}


def run(command: list[str], failed: str) -> None:
    if subprocess.run(command, env=environment(), check=False).returncode != 0:
        raise Refused(f"{failed}; its output is above")


if __name__ == "__main__":
    try:
        main()
    except Refused as refused:
        sys.exit(f"error: {refused}")
