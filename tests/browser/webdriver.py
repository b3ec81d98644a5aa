"""A browser under W3C WebDriver, with the standard library alone: a session, elements, and waiting until something is so."""

import base64
import json
import os
import re
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
# How long anything may take to become true. A slow machine that also compiles is the measure.
PATIENCE_S = 60


# Neither the driver nor the page is behind a proxy.
urllib.request.install_opener(urllib.request.build_opener(urllib.request.ProxyHandler({})))


class Failed(AssertionError):
    """What was expected did not come true."""


class Browser:
    """One Chromium, without a window."""

    def __init__(self, width=1360, height=1000, dark=False, scale=1):
        self.profile = tempfile.TemporaryDirectory(prefix="hookswitch-browser-")
        self.log = tempfile.TemporaryFile(mode="w+")
        self.driver = subprocess.Popen(
            ["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=self.log, text=True
        )
        self.session = None
        try:
            self.url = f"http://127.0.0.1:{self._port()}"
            arguments = ["--headless=new", "--disable-gpu", "--disable-dev-shm-usage", f"--user-data-dir={self.profile.name}",
                         "--no-first-run", "--lang=en-US", f"--force-device-scale-factor={scale}", f"--window-size={width},{height}",
                         "--hide-scrollbars", "--force-dark-mode" if dark else "--disable-features=Translate"]
            if os.geteuid() == 0:
                arguments.append("--no-sandbox")  # Chromium refuses its own sandbox to root.
            options = {"args": arguments, "binary": "/usr/bin/chromium"}
            wanted = {"browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
            made = self.ask("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
            self.session = made["sessionId"]
        except BaseException:
            self.close()
            raise

    def _port(self):
        for line in self.driver.stdout:
            found = re.search(r"successfully on port (\d+)", line)
            if found:
                return int(found.group(1))
        self.log.seek(0)
        raise Failed(f"chromedriver did not start: {self.log.read()}")

    def ask(self, method, path, body=None):
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.url + path, data, {"content-type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            value = json.load(error)["value"]
            raise Failed(f"{value['error']}: {value['message'].splitlines()[0]}") from None

    def here(self, method, path, body=None):
        return self.ask(method, f"/session/{self.session}{path}", body)

    def open(self, url):
        self.here("POST", "/url", {"url": url})

    def screen(self, width=0, height=0):
        """A screen of this size, smaller than a window can be; without a size the window's own again."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 0, "mobile": bool(width)}
        self.here("POST", "/goog/cdp/execute", {"cmd": "Emulation.setDeviceMetricsOverride", "params": metrics})

    def all(self, css):
        return [Element(self, found[ELEMENT]) for found in self.here("POST", "/elements", {"using": "css selector", "value": css})]

    def one(self, css):
        found = self.all(css)
        if len(found) != 1:
            raise Failed(f"{len(found)} elements are {css}, expected one")
        return found[0]

    def script(self, script, *arguments):
        return self.here("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def text(self, css):
        """The text of all that is there, as one string; what scrolled out of view too."""
        return self.script("return [...document.querySelectorAll(arguments[0])].map((e) => e.textContent).join('\\n')", css)

    def keys(self, text, modifier=None):
        """Presses keys wherever the focus is."""
        actions = []
        for key in [text] if len(text) == 1 or text in NAMED else text:
            key = NAMED.get(key, key)
            around = [NAMED[modifier]] if modifier else []
            actions += [{"type": "keyDown", "value": one} for one in around + [key]]
            actions += [{"type": "keyUp", "value": one} for one in [key] + around]
        self.here("POST", "/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})

    def until(self, what, true, patience_s=PATIENCE_S):
        """Waits until `true()` is truthy and gives it; `what` is the sentence of the failure."""
        end = time.monotonic() + patience_s
        while True:
            found = true()
            if found:
                return found
            if time.monotonic() > end:
                raise Failed(f"{what}: not within {patience_s} s")
            time.sleep(0.05)

    def sees(self, text, css="body"):
        """Waits until `text` stands somewhere in `css`."""
        try:
            return self.until(f"{text!r} in {css}", lambda: text in self.text(css))
        except Failed as failed:
            raise Failed(f"{failed}; there is: {self.text(css)[-1500:]!r}") from None

    def console(self):
        """What the browser complained about since it was last asked."""
        return [f"{one['level']}: {one['message']}" for one in self.here("POST", "/se/log", {"type": "browser"})]

    def picture(self, path):
        with open(path, "wb") as out:
            out.write(base64.b64decode(self.here("GET", "/screenshot")))

    def close(self):
        if self.session:
            try:
                self.here("DELETE", "")
            except (Failed, OSError):
                pass
        self.driver.terminate()
        self.driver.wait()
        self.driver.stdout.close()
        self.log.close()
        self.profile.cleanup()


NAMED = {"Tab": "\ue004", "Enter": "\ue007", "Escape": "\ue00c", "Shift": "\ue008", "Space": " "}


class Element:
    """An element of the page that is open."""

    def __init__(self, browser, id):
        self.browser, self.id = browser, id

    def _ask(self, method, what, body=None):
        return self.browser.here(method, f"/element/{self.id}/{what}", body)

    def click(self):
        self._ask("POST", "click", {})

    def write(self, text):
        self._ask("POST", "clear", {})
        self._ask("POST", "value", {"text": text})

    def text(self):
        return self._ask("GET", "text")

    def shown(self):
        return self._ask("GET", "displayed")

    def enabled(self):
        return self._ask("GET", "enabled")

    def attribute(self, name):
        return self._ask("GET", f"attribute/{name}")

    def role(self):
        return self._ask("GET", "computedrole")

    def label(self):
        return self._ask("GET", "computedlabel")
