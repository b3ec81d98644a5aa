"""Every function of the Python helper, against the host and natively: what stands in for it answers the same.

``run`` puts it in the place of a new project's handler.
"""

import json
import sys
from datetime import datetime, timedelta

from hookswitch import Call, Failure, carrier, handlers, http, on_call, secrets, session, store, twiml
from hookswitch.carrier import CallRecording, CarrierError, MachineDetection, NewCall, NewMessage, NumberSettings
from hookswitch.http import HttpError
from hookswitch.store import Page, StorageError

THEM, US = "+12025550177", "+12025550199"
CALL, RECORDING = f"CA{1:032}", f"RE{1:032}"


@on_call
def answer(call: Call):
    wrong = first() if call.step == "" else second()
    if wrong:
        raise Failure("; ".join(wrong))
    return twiml.Response(twiml.Redirect("second") if call.step == "" else twiml.Say("Every check holds."))


def first() -> list[str]:
    checks = Checks()
    for name, memory in (("session", session), ("store", store)):
        remembers(checks, name, memory)
    checks.equal("session.keys", lambda: session.keys("b"), ["bytes"])
    checks.equal("store.keys", lambda: store.keys("", limit=2), Page(["bytes", "json"], "json"))
    checks.equal("store.keys after", lambda: store.keys("j", after="bytes"), Page(["json"], None))
    checks.fails("secrets.get", lambda: secrets.get("key"), Failure, "not granted")

    call = NewCall(
        to=THEM, from_=US, link="voice/x", detect=MachineDetection(), recording=CallRecording(dual=True), told_of=["answered"], told="status/x"
    )
    message = NewMessage(to=THEM, from_=US, body="Hello", media=["https://example.com/a.png"])
    soon = datetime.now().astimezone() + timedelta(minutes=1)
    checks.equal("carrier.place", lambda: carrier.place(call)[:2], "CA")
    checks.equal("carrier.send", lambda: carrier.send(message)[:2], "MM")
    checks.equal("carrier.later", lambda: carrier.take_back(carrier.later(message, soon)), True)
    document = NewCall(to=THEM, from_=US, document=twiml.Response())
    checks.equal("carrier.later of a call", lambda: carrier.take_back(carrier.later(document)), True)
    checks.equal("carrier.redirect", lambda: carrier.redirect(CALL, "voice/x"), None)
    checks.equal("carrier.go_on", lambda: carrier.go_on(CALL, twiml.Response()), None)
    checks.equal("carrier.end", lambda: carrier.end(CALL), None)
    checks.equal("carrier.cancel", lambda: carrier.cancel(CALL), None)
    checks.equal("carrier.recording", lambda: carrier.recording(RECORDING).status, "completed")
    checks.equal("carrier.recording_audio", lambda: carrier.recording_audio(RECORDING), b"")
    checks.equal("carrier.delete_recording", lambda: carrier.delete_recording(RECORDING), None)
    checks.equal("carrier.find_number", lambda: carrier.find_number(US).number, US)
    checks.equal("carrier.search_numbers", lambda: len(carrier.search_numbers(kind="toll-free", most=2)), 2)
    settings = NumberSettings(voice="voice")
    checks.equal("carrier.buy_number", lambda: carrier.buy_number("+12025550101", settings).number, "+12025550101")
    checks.equal("carrier.configure_number", lambda: carrier.configure_number(US, settings).number, US)
    checks.equal("carrier.release_number", lambda: carrier.release_number("+12025550101"), None)
    checks.equal("carrier.short_codes", carrier.short_codes, [])
    checks.equal("carrier.access_token", lambda: carrier.access_token("ann", params={"a": "b"}).count("."), 2)
    if "wit_world" in sys.modules:
        # In native tests the carrier takes everything.
        checks.fails("carrier.end of no call", lambda: carrier.end("CA1"), CarrierError, "expected CA", "invalid")

    # Nobody can be asked from here; that the host says so has been through all of wasi:http.
    checks.fails("http.request", lambda: http.request("https://example.com/?a", json={"a": 1}), HttpError, "https://example.com/: ", "denied")
    checks.fails("http.request with a slip", lambda: http.request("https://example.com", method="A B"), HttpError, "method", "request")

    checks.equal("a child that is False", lambda: str(twiml.Response(False, [[], [False]], "")), "<Response/>")
    checks.equal("an attribute that is missing", lambda: str(twiml.Say(0, voice=None)), "<Say>0</Say>")
    missing = "<Say> was given None: what it should say is missing"
    checks.fails("words that are missing", lambda: twiml.Response(twiml.Say(session.get("nope"))), TypeError, missing)
    checks.fails("words that are missing among others", lambda: twiml.Say("Hello ", [None]), TypeError, missing)
    checks.equal("the place of a missing word", lambda: failure(said)[1], [f"at said (handler.py:{said.__code__.co_firstlineno + 1})"])
    checks.equal("the place of a failure in a package", lambda: failure(read)[1], [f"at read (handler.py:{read.__code__.co_firstlineno + 1})"])
    return checks.wrong


def said() -> None:
    twiml.Say(None)


def read() -> None:
    json.loads("{")


def failure(act) -> tuple[str, list[str]]:
    """What the log says of a failure."""
    try:
        raise AssertionError(act())
    except Exception as error:
        return handlers.failure_of(error)


def remembers(checks: "Checks", name: str, memory) -> None:
    checks.equal(f"{name}.get none", lambda: memory.get("text", "none"), "none")
    memory.set("text", "grüße 😀")
    checks.equal(f"{name}.get", lambda: memory.get("text"), "grüße 😀")
    memory.set("json", {"a": [1, None]})
    checks.equal(f"{name}.json", lambda: memory.json("json"), {"a": [1, None]})
    memory.set("bytes", b"\xff\0")
    checks.equal(f"{name}.bytes", lambda: memory.bytes("bytes"), b"\xff\0")
    numbers = [memory.add("number", 5), memory.add("number", -20, ttl_s=60), memory.add("number")]
    checks.equal(f"{name}.add", lambda: numbers, [5, -15, -14])
    swapped = [memory.swap("swap", None, "a"), memory.swap("swap", "b", "c"), memory.swap("swap", "a", None)]
    checks.equal(f"{name}.swap", lambda: swapped, [True, False, True])
    checks.equal(f"{name}.delete", lambda: (memory.delete("number"), memory.delete("number")), (True, False))
    checks.fails(f"{name}.get of bytes", lambda: memory.get("bytes"), Failure, "are no text")
    checks.fails(f"{name}.add to text", lambda: memory.add("text"), StorageError, "decimal text", "not-a-number")
    checks.fails(f"{name}.set for no time", lambda: memory.set("text", "x", ttl_s=0), StorageError, "1 second", "invalid")
    checks.fails(f"{name}.set for less than no time", lambda: memory.set("text", "x", ttl_s=-1), Failure, "whole number")
    checks.fails(f"{name}.add beyond all", lambda: memory.add("much", 2**63), StorageError, "64 bits", "not-a-number")
    checks.fails(f"{name}.set too much", lambda: memory.set("much", bytes(5 << 20)), StorageError, "5242880 bytes; use 65536", "too-large")
    checks.fails(f"{name}.set too much text", lambda: memory.set("much", "ä" * 32_769), StorageError, "65538 bytes", "too-large")
    checks.fails(f"{name}.swap of too much", lambda: memory.swap("text", "a" * 65_537, None), StorageError, "65537 bytes", "too-large")


def second() -> list[str]:
    checks = Checks()
    checks.equal("the session of the webhook before", lambda: session.get("text"), "grüße 😀")
    checks.equal("the store of the webhook before", lambda: store.get("text"), "grüße 😀")
    return checks.wrong


class Checks:
    def __init__(self) -> None:
        self.wrong: list[str] = []

    def equal(self, name: str, act, expected: object) -> None:
        try:
            found = act()
        except Exception as error:
            self.wrong.append(f"{name} raises {error}")
        else:
            if found != expected:
                self.wrong.append(f"{name} is {found!r}")

    def fails(self, name: str, act, kind_of: type, words: str, kind: str | None = None) -> None:
        try:
            self.wrong.append(f"{name} gives {act()!r}")
        except Exception as error:
            if not isinstance(error, kind_of) or words not in str(error) or getattr(error, "kind", None) != kind:
                self.wrong.append(f"{name} raises {error!r}")
