"""`hookswitch dev` on a copy of a handler, for one test run."""

import pathlib
import re
import shutil
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "guest-examples"
# The first build of a fresh checkout compiles the standard library.
BUILD_PATIENCE_S = 600


class Desk:
    """A copy of some handlers in a workspace of its own."""

    def __init__(self, binary):
        self.binary = binary
        self.scratch = tempfile.TemporaryDirectory(prefix="hookswitch-desk-")
        self.folder = pathlib.Path(self.scratch.name)
        self.hosts = []
        handlers = {"front-desk": EXAMPLES / "front-desk", "sms-keywords": EXAMPLES / "sms-keywords",
                    "misbehave": ROOT / "tests/guests/misbehave"}
        for name, source in handlers.items():
            # As files of now: a build that is older than they are is not theirs.
            shutil.copytree(source, self.folder / name, ignore=shutil.ignore_patterns("target"), copy_function=shutil.copy)
        # It names its workspace by the way that leads there from its own place.
        manifest = self.folder / "misbehave/Cargo.toml"
        manifest.write_text(re.sub(r'workspace = "[^"]*"', 'workspace = ".."', manifest.read_text()))
        workspace = (EXAMPLES / "Cargo.toml").read_text()
        members = ", ".join(f'"{name}"' for name in handlers)
        workspace = re.sub(r"members = \[.*?\]", f"members = [{members}]", workspace, flags=re.S)
        workspace = workspace.replace('"../sdk"', f'"{ROOT / "sdk"}"')
        (self.folder / "Cargo.toml").write_text(workspace)
        shutil.copy(EXAMPLES / "Cargo.lock", self.folder)
        # What they depend on is built already, mostly. A copy, because what is built of these handlers is nobody else's.
        built = EXAMPLES / "target/hookswitch"
        if built.is_dir():
            shutil.copytree(built, self.folder / "target/hookswitch")

    def dev(self, handler):
        """Starts `hookswitch dev` on a handler; gives the page's address."""
        log = self.folder / f"{handler}.log"
        with open(log, "w") as out:
            command = [self.binary, "dev", self.folder / handler, "--listen", "127.0.0.1:0", "--control", "127.0.0.1:0", "--no-open"]
            if "--no-open" not in subprocess.run([self.binary, "dev", "--help"], capture_output=True, text=True).stdout:
                command.pop()
            host = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
        self.hosts.append(host)
        end = time.monotonic() + BUILD_PATIENCE_S
        while time.monotonic() < end:
            text = log.read_text()
            found = re.search(r"phone page\s+(http://\S+)", text)
            if found:
                return found.group(1)
            if host.poll() is not None:
                raise AssertionError(f"hookswitch dev ended: {text}")
            time.sleep(0.1)
        raise AssertionError(f"no phone page after {BUILD_PATIENCE_S} s: {log.read_text()}")

    def edit(self, file, before, after):
        """Saves a change, as an editor does."""
        path = self.folder / file
        text = path.read_text()
        assert before in text, f"{before!r} is not in {path}"
        path.write_text(text.replace(before, after))

    def close(self):
        for host in self.hosts:
            host.terminate()
        for host in self.hosts:
            host.wait()
        self.scratch.cleanup()
