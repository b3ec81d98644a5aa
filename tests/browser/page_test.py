"""The phone page, as somebody uses it. Each test is a promise; they run one after the other on one `hookswitch dev`."""

import json
import subprocess
import sys
import time
import traceback
import urllib.error
import urllib.request

from desk import Desk
from webdriver import Browser, Failed

GREETING = "Thank you for calling Acme."
MENU = "For sales, press 1"


class Stage:
    """What all tests share."""

    def __init__(self, binary):
        self.binary = binary
        self.desk = Desk(binary)
        self.pages = {}
        self.browser = Browser()

    def page(self, handler="front-desk"):
        """A fresh page of a handler."""
        if handler not in self.pages:
            self.pages[handler] = self.desk.dev(handler)
        self.browser.open(self.pages[handler])
        self.browser.until("the handler is ready", lambda: self.browser.text("#build") == "ready", 120)
        return self.browser

    def close(self):
        self.browser.close()
        self.desk.close()


def call(page):
    page.one("#call").click()
    page.until("a call begins", lambda: page.text("#call") == "Hang up")


def hang_up(page):
    page.one("#call").click()
    page.until("the call ends", lambda: page.text("#call") == "Call")


def press(page, key):
    page.one(f'#keypad [data-key="{key}"]').click()


def asked(page, words):
    page.sees(words, "#ask:not([hidden]) #ask-text")


def choose(page, word):
    button = page.until(f"a choice {word}", lambda: [one for one in page.all("#ask-choices button") if one.text() == word])
    button[0].click()


def a_call_is_heard_and_keys_lead_on(stage):
    page = stage.page()
    call(page)
    page.sees(GREETING, "#transcript")
    page.sees(MENU, "#transcript")
    asked(page, "Press a key, or say something")
    press(page, "1")
    page.sees("Connecting you to sales.", "#transcript")
    asked(page, "+12025550123 rings")
    choose(page, "No answer")
    page.sees("Nobody can take your call right now.", "#transcript")
    asked(page, "Recording")
    page.one("#say").write("Please call me back")
    page.keys("Enter")
    press(page, "#")
    page.sees("We will call you back", "#transcript")
    page.until("the call is over", lambda: page.text("#call") == "Call")
    page.sees("the handler hung up", "#steps")
    page.sees("voicemail of", ".log")


def a_key_pressed_into_the_prompt_ends_it(stage):
    page = stage.page()
    call(page)
    page.sees(GREETING, "#transcript")
    press(page, "2")
    page.sees("Connecting you to support.", "#transcript")
    assert MENU not in page.text("#transcript"), "the rest of the prompt was not to be heard"
    hang_up(page)


def words_answer_as_keys_do(stage):
    page = stage.page()
    call(page)
    page.sees(GREETING, "#transcript")
    page.one("#skip").click()
    page.one("#say").write("I want to talk to support")
    page.keys("Enter")
    page.sees("Connecting you to support.", "#transcript")
    hang_up(page)
    page.sees("the caller hung up", "#steps")


def the_timeline_shows_what_the_carrier_sees(stage):
    page = stage.page()
    call(page)
    page.sees(GREETING, "#transcript")
    card = ".webhook[data-seq='1']"
    page.sees("incoming call", card)
    page.sees("revision ", card)
    assert "<Gather" in page.text(f"{card} .twiml") and "hs=" not in page.text(f"{card} .twiml")
    assert "CallSid" in page.text(f"{card} .params")
    for name in ["time", "CPU", "memory"]:
        assert name in page.text(f"{card} .meters"), name
    page.script("navigator.clipboard.writeText = async (text) => { window.copied = text }")
    [copy] = [one for one in page.all(f"{card} button") if one.text() == "Copy as curl"]
    copy.click()
    command = page.until("a command", lambda: page.script("return window.copied"))
    ran = subprocess.run(["sh", "-c", f"{command} -sS -i"], capture_output=True, text=True, timeout=60)
    assert "200 OK" in ran.stdout and GREETING in ran.stdout, f"{command}\n{ran.stdout}{ran.stderr}"
    hang_up(page)


def a_call_is_pressed_again_from_any_step(stage):
    page = stage.page()
    call(page)
    page.sees(GREETING, "#transcript")
    press(page, "1")
    asked(page, "rings")
    choose(page, "Busy")
    page.sees("All lines are busy.", "#transcript")
    hang_up(page)
    before = time.monotonic()
    card = page.until("the webhook after the dial", lambda: [one for one in page.all(".webhook") if "voice/after-dial" in one.text()])
    seq = card[0].attribute("data-seq")
    [again] = [one for one in page.all(f".webhook[data-seq='{seq}'] button") if one.text() == "Press again from here"]
    again.click()
    page.sees("from here on it is your turn", "#steps")
    page.sees("All lines are busy.", "#transcript")
    assert "busy" in page.text("#transcript") and time.monotonic() - before < 20
    page.until("the rest is in real time", lambda: page.one("#skip").enabled())
    hang_up(page)


def a_saved_change_is_heard_by_the_next_call_and_not_by_this_one(stage):
    page = stage.page()
    call(page)
    page.sees(GREETING, "#transcript")
    before = int(page.text("#revision").split()[-1])
    stage.desk.edit("front-desk/src/lib.rs", "Connecting you to", "One moment, here comes")
    page.sees("building", "#build")
    page.sees(f"Revision {before + 1} takes new calls; this call stays on {before}.", "#stays")
    press(page, "1")
    page.sees("Connecting you to sales.", "#transcript")
    hang_up(page)
    call(page)
    page.sees(GREETING, "#transcript")
    press(page, "1")
    page.sees("One moment, here comes sales.", "#transcript")
    hang_up(page)


def what_does_not_build_says_where(stage):
    page = stage.page()
    stage.desk.edit("front-desk/src/lib.rs", "fn greeting() -> Document {", "fn greeting() -> Document { nonsense();")
    page.sees("does not build", "#build")
    page.sees("src/lib.rs:", "#problem")
    page.sees("nonsense", "#problem")
    call(page)
    page.sees(GREETING, "#transcript")
    hang_up(page)
    stage.desk.edit("front-desk/src/lib.rs", "{ nonsense();", "{")
    page.until("it builds again", lambda: page.text("#build") == "ready", 120)
    assert not page.one("#problem").shown()


def a_call_becomes_a_script_that_passes(stage):
    page = stage.page()
    call(page)
    page.sees(GREETING, "#transcript")
    press(page, "3")
    asked(page, "Recording")
    page.one("#say").write("It's me. \"Hello\"")
    page.keys("Enter")
    press(page, "#")
    page.until("the call is over", lambda: page.text("#call") == "Call")
    page.one("#save").click()
    page.one("#save-file").write("menu")
    page.one("#save-name").write("a message is left")
    page.one("#save-form .primary").click()
    page.sees("is there already", "#save-problem")
    page.one("#save-file").write("from-the-phone")
    page.one("#save-form .primary").click()
    page.sees("calls/from-the-phone.toml", "#toast")
    handler = stage.desk.folder / "front-desk"
    assert (handler / "calls/from-the-phone.toml").is_file()
    played = subprocess.run([stage.binary, "test", handler, "--json"], capture_output=True, text=True, timeout=600)
    result = json.loads(played.stdout)
    assert played.returncode == 0 and result["failed"] == 0, played.stdout
    names = [one["name"] for handler in result["handlers"] for one in handler.get("scripts", handler.get("calls", []))]
    assert "a message is left" in names, played.stdout[:2000]


def a_trap_becomes_a_fallback_that_is_heard(stage):
    settings = stage.desk.folder / "misbehave/handler.toml"
    if "trap" not in settings.read_text():
        settings.write_text(settings.read_text() + '\n[config]\ntrap = "always"\n')
    page = stage.page("misbehave")
    page.one("#call").click()
    page.sees("HS202", ".webhook .status")
    page.sees("the handler failed, and this is its fallback", "#transcript")
    page.sees("fallback", "#transcript")
    page.sees("unreachable", ".log")
    page.until("the call is over", lambda: page.text("#call") == "Call")


def messages_go_both_ways(stage):
    page = stage.page("sms-keywords")
    assert page.one("#panel-messages").shown(), "a handler of messages alone shows them at once"
    page.one("#write").write("HELP")
    page.one("#write-form .primary").click()
    page.sees("Write one of", "#thread")
    page.one("#attach").click()
    page.keys("a picture")
    page.keys("Enter")
    page.one("#write").click()
    page.one("#write-form .primary").click()
    page.sees("Thank you for the picture.", "#thread")
    page.one("#write").write("STOP")
    page.keys("Enter")
    page.sees("You have successfully been unsubscribed", "#thread")
    assert len(page.all("#steps .webhook")) == 3, "one conversation, three webhooks"


def faults_are_made_on_request(stage):
    page = stage.page()
    page.one("#settings summary").click()
    page.one("#duplicate").click()
    page.one("#bad-signature-at").write("2")
    assert page.one("#faulty").shown()
    call(page)
    page.sees("delivered 2 times; the second was repeated", ".webhook[data-seq='1']")
    page.sees(GREETING, "#transcript")
    press(page, "1")
    page.sees("11200", "#steps")
    page.sees("HS101", ".webhook .status")
    page.until("the carrier gives up", lambda: page.text("#call") == "Call")


def a_page_that_goes_away_hangs_up(stage):
    page = stage.page()
    call(page)
    page.sees(GREETING, "#transcript")
    [first] = page.all(".webhook[data-seq='1']")
    command = f"{stage.pages['front-desk'].rstrip('/')}/api/conversations/{first.attribute('data-conversation')}/curl/1"

    def status():
        try:
            return urllib.request.urlopen(command, timeout=30).status
        except urllib.error.HTTPError as error:
            return error.code

    assert status() == 200
    page.open("about:blank")
    page.until("the call is forgotten", lambda: status() == 404)


def the_keyboard_alone_is_enough(stage):
    page = stage.page()
    page.keys("c")
    page.until("a call begins", lambda: page.text("#call") == "Hang up")
    page.sees(GREETING, "#transcript")
    page.keys("1")
    page.sees("Connecting you to sales.", "#transcript")
    page.keys("Escape")
    page.until("the call ends", lambda: page.text("#call") == "Call")
    # With Tab and Enter too.
    for _ in range(60):
        if page.script("return document.activeElement.id") == "call":
            break
        page.keys("Tab")
    else:
        raise Failed("Tab does not reach the button that calls")
    page.keys("Enter")
    page.until("a call begins", lambda: page.text("#call") == "Hang up")
    page.keys("s")
    page.keys("support")
    page.sees(GREETING, "#transcript")
    page.keys("Enter")
    page.sees("Connecting you to support.", "#transcript")
    page.keys("Escape")
    page.until("the call ends", lambda: page.text("#call") == "Call")
    page.keys("?")
    page.until("the keys are told", lambda: page.one("#help-dialog").shown())
    page.keys("Escape")


def every_control_has_a_name_and_a_role(stage):
    page = stage.page()
    call(page)
    page.sees(GREETING, "#transcript")
    page.one("#settings summary").click()
    controls = page.all("button, input, select, textarea, summary, [tabindex='0'], [role]")
    roles = set()
    nameless = []
    for control in controls:
        role, label = control.role(), control.label()
        roles.add(role)
        # What is hidden has no role for anybody.
        if control.shown() and (role in ("", "none", "generic") or (not label and role != "status")):
            nameless.append(page.script("return arguments[0].outerHTML.slice(0, 160)", {"element-6066-11e4-a52e-4f735466cecf": control.id}))
    assert not nameless, nameless
    assert {"button", "tab", "tablist", "log", "status", "group"} <= roles, roles
    # Whoever only hears the page hears the call: what is said is in a live region.
    log = page.one("#transcript")
    assert log.attribute("aria-live") == "polite" and log.role() == "log"
    for _ in ["light", "dark"]:
        # Colours change over a moment.
        try:
            page.until("enough contrast", lambda: not page.script(CONTRAST), 10)
        except Failed as failed:
            raise Failed(f"{failed}: {page.script(CONTRAST)}") from None
        page.one("#theme").click()
    hang_up(page)


# Text whose contrast with what is behind it is under 4.5 : 1 (WCAG AA).
CONTRAST = r"""
const channel = (c) => { c /= 255; return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; };
const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
const rgba = (color) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1); const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data; return [r, g, b, a / 255]; };
const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
const behind = (e) => { for (; e; e = e.parentElement) { const c = rgba(getComputedStyle(e).backgroundColor); if (c[3] > 0.99) return c; } return [255, 255, 255, 1]; };
const low = [];
for (const e of document.querySelectorAll("body *")) {
  const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
  const box = e.getBoundingClientRect();
  if (!own || box.width < 2 || box.height < 2 || !e.checkVisibility() || e.closest(":disabled, .pill.busy")) continue;
  const [one, other] = [light(rgba(getComputedStyle(e).color)), light(behind(e))];
  const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
  if (ratio < 4.5) low.push(`${ratio.toFixed(2)} ${e.tagName}.${e.className} ${e.textContent.trim().slice(0, 40)}`);
}
return low;
"""


def it_fits_a_small_screen(stage):
    page = stage.page()
    page.screen(360, 740)
    call(page)
    page.sees(GREETING, "#transcript")
    wide = page.script("""return [...document.querySelectorAll('body *')].filter((e) => e.checkVisibility()
        && !e.closest('.twiml, pre, .hidden, .skip-link, .toast') && e.getBoundingClientRect().right > 361)
        .map((e) => e.tagName + '.' + e.className + '#' + e.id)""")
    assert not wide, wide
    hang_up(page)
    page.screen()


def other_websites_are_kept_out(stage):
    page = stage.page()
    address = stage.pages["front-desk"]
    origin = address.rstrip("/")
    asked_by = [
        ({"Host": "evil.example"}, "/", 403),
        ({"Origin": "http://evil.example"}, "/api/calls", 403),
        ({"Sec-Fetch-Site": "cross-site"}, "/api/calls", 403),
        ({"Origin": origin, "Content-Type": "text/plain"}, "/api/calls", 415),
        ({"Origin": origin, "Content-Type": "application/json"}, "/api/calls", 422),
    ]
    for headers, path, expected in asked_by:
        data = b"{}" if path != "/" else None
        request = urllib.request.Request(origin + path, data, headers)
        try:
            status = urllib.request.urlopen(request, timeout=30).status
        except urllib.error.HTTPError as error:
            status = error.code
        assert status == expected, f"{headers} {path}: {status}, expected {expected}"
    headers = urllib.request.urlopen(origin, timeout=30).headers
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    # What a guest says is text, whatever it says.
    stage.desk.edit("front-desk/handler.toml", GREETING, "<img src=x onerror=document.title='broken'>")
    page.until("the next revision", lambda: page.text("#build") == "ready" and "takes new calls" in page.text("#toast"), 120)
    call(page)
    page.sees("<img src=x onerror", "#transcript")
    page.sees("onerror", ".twiml")
    assert page.script("return document.title") == "hookswitch phone" and not page.all("#transcript img, .twiml img")
    hang_up(page)
    stage.desk.edit("front-desk/handler.toml", "<img src=x onerror=document.title='broken'>", GREETING)


TESTS = [
    a_call_is_heard_and_keys_lead_on,
    a_key_pressed_into_the_prompt_ends_it,
    words_answer_as_keys_do,
    the_timeline_shows_what_the_carrier_sees,
    a_call_is_pressed_again_from_any_step,
    faults_are_made_on_request,
    a_page_that_goes_away_hangs_up,
    the_keyboard_alone_is_enough,
    every_control_has_a_name_and_a_role,
    it_fits_a_small_screen,
    a_call_becomes_a_script_that_passes,
    a_saved_change_is_heard_by_the_next_call_and_not_by_this_one,
    what_does_not_build_says_where,
    other_websites_are_kept_out,
    a_trap_becomes_a_fallback_that_is_heard,
    messages_go_both_ways,
]


def main():
    binary, wanted = sys.argv[1], sys.argv[2:]
    tests = [test for test in TESTS if not wanted or any(word in test.__name__ for word in wanted)]
    print(f"\nrunning {len(tests)} tests", flush=True)
    stage = Stage(binary)
    failures = []
    began = time.monotonic()
    try:
        for test in tests:
            from_s = time.monotonic()
            try:
                test(stage)
                # A refusal that a test asks for is no defect of the page.
                complaints = [line for line in stage.browser.console() if "status of 409" not in line]
                assert not complaints, f"the browser complains: {complaints}"
                print(f"test {test.__name__} ... ok ({time.monotonic() - from_s:.1f} s)", flush=True)
            except Exception:
                failures.append(test.__name__)
                print(f"test {test.__name__} ... FAILED", flush=True)
                traceback.print_exc()
                stage.browser.picture(f"/tmp/hookswitch-{test.__name__}.png")
                print(f"picture: /tmp/hookswitch-{test.__name__}.png", file=sys.stderr)
    finally:
        stage.close()
    word = "FAILED" if failures else "ok"
    passed = len(tests) - len(failures)
    print(f"\ntest result: {word}. {passed} passed; {len(failures)} failed; finished in {time.monotonic() - began:.1f}s")
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
