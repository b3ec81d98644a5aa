"""Every function of the Python helper, against the host and natively: what stands in for it answers the same.

``run`` puts it in the place of a new project's handler.
"""

import json
import sys
from datetime import datetime, timedelta, timezone

from hookswitch import Call, Event, Failure, carrier, config, handlers, http, log, on_call, on_event, on_web, secrets, session, store, twiml
from hookswitch.carrier import CallRecording, CarrierError, MachineDetection, NewCall, NewMessage, NumberSettings
from hookswitch.http import HttpError
from hookswitch.store import Page, StorageError
from hookswitch.web import Request, Response

THEM, US = "+12025550177", "+12025550199"
SERVICE = "https://service.example.com"
CALL, RECORDING = f"CA{1:032}", f"RE{1:032}"


@on_call
def answer(call: Call):
    wrong = first() if call.step == "" else second()
    if wrong:
        raise Failure("; ".join(wrong))
    return twiml.Response(twiml.Redirect("second") if call.step == "" else twiml.Say("Every check holds."))


@on_event
def notify(event: Event):
    if run := event.run:
        log.info(f"run {run.name} {run.id} {run.scheduled_time} {run.local_time} {run.attempt}")


@on_web
def web(request: Request) -> Response:
    match request.route:
        case ("POST", "/hours"):
            store.set("hours", request.form["hours"])
            return Response.see_other(request.link("/"))
        case ("GET", "/"):
            words = [store.get("hours", ""), request.query["name"], request.header("X-Own"), request.client]
            return Response.html("; ".join(words))
        case ("POST", "/json"):
            found = json.dumps(request.json()["sum"], separators=(",", ":"))
            return Response.text(found, status=201, headers=[("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")])
        case ("POST", "/typed"):
            return Response.html(request.headers["content-type"], headers={"Content-Type": "text/plain"})
        case ("GET", "/long"):
            return Response("x" * 1_000_000)
        case ("PUT", _):
            return Response.json(" ".join([request.method, *request.segments]))
        case ("GET", "/fails"):
            raise Failure("there is no book") from KeyError("it was sold")
        case ("GET", "/none"):
            return None
        case ("GET", "/header"):
            return Response(headers={"a b": "c"})
    return Response.not_found()


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
    document = NewCall(to=THEM, from_=US, link=None, document=twiml.Response())
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

    for name, act in wrong_types():
        checks.fails(name, act, Failure, "expected ")
    checks.equal("log of what is no text", lambda: (log.info(5), log.debug(None), log.warn("\ud800"), log.error(b"x")), (None,) * 4)
    checks.equal("a document that UTF-8 can't say", lambda: handed_over("<Response/>\ud800"), "<Response/>?")
    for ttl_s in (2**32, -1, 1.5, "60"):
        checks.fails(f"store.set for {ttl_s!r}", lambda: store.set("k", "v", ttl_s), Failure, "a whole number from 0 to 4294967295")
    checks.fails("a text that UTF-8 can't say", lambda: session.set("k", "\ud800"), Failure, "half of a character")

    checks.fails("http.request of nobody", lambda: http.request(f"{SERVICE}/refused"), HttpError, "/refused: ", "unreachable")
    checks.fails("http.request in time", lambda: http.request(f"{SERVICE}/slow", timeout_ms=10), HttpError, "/slow: ", "timeout")
    checks.equal("http.request once", lambda: http.request(f"{SERVICE}/busy", once=True).status, 503)
    checks.equal("http.request without a body", lambda: http.request(f"{SERVICE}/busy", body=None, once=True).request.method, "GET")
    checks.fails("http.request with a body of 5", lambda: http.request(SERVICE, body=5), Failure, "body is 5; expected")
    checks.fails("http.request with a header of 5", lambda: http.request(SERVICE, headers={"x": 5}), Failure, "x is 5; expected")
    if "wit_world" in sys.modules:
        big = {"x": "y" * 20_000}
        checks.fails("http.request with much", lambda: http.request(f"{SERVICE}/busy", headers=big), HttpError, "its headers are larger", "limit")
        checks.fails("http.request of much", lambda: http.request(f"{SERVICE}/busy", body=bytes(2 << 20)), HttpError, "its body is larger", "limit")
        for code, kind, words in codes():
            checks.equal(f"the kind of {code}", lambda: explained(code), (kind, words))
    # Nobody else can be asked from here; that the host says so has been through all of wasi:http.
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


def wrong_types():
    """What the contract has no value for: an exception here, where it would end the instance."""
    message, call = {"to": THEM, "from_": US}, {"to": THEM, "from_": US}
    for name, memory in (("session", session), ("store", store)):
        yield f"{name}.get None", lambda: memory.get(None)
        yield f"{name}.bytes of 5", lambda: memory.bytes(5)
        yield f"{name}.set None", lambda: memory.set(None, "x")
        yield f"{name}.set 5", lambda: memory.set(5, "x")
        yield f"{name}.keys None", lambda: memory.keys(None)
        yield f"{name}.delete None", lambda: memory.delete(None)
        yield f"{name}.add to None", lambda: memory.add(None)
        yield f"{name}.add 1.5", lambda: memory.add("a", 1.5)
        yield f"{name}.add None", lambda: memory.add("a", None)
        yield f"{name}.swap None", lambda: memory.swap(None, None, None)
    yield "store.keys after 5", lambda: store.keys(after=5)
    yield "store.keys, None of them", lambda: store.keys(limit=None)
    yield "config.get 5", lambda: config.get(5)
    yield "secrets.get None", lambda: secrets.get(None)
    yield "carrier.send to None", lambda: carrier.send(NewMessage(to=None, from_=US))
    yield "carrier.send 5", lambda: carrier.send(NewMessage(**message, body=5))
    yield "carrier.send a picture of None", lambda: carrier.send(NewMessage(**message, media=[None]))
    yield "carrier.send for 1.5 s", lambda: carrier.send(NewMessage(**message, validity_s=1.5))
    yield "carrier.place from None", lambda: carrier.place(NewCall(to=THEM, from_=None))
    yield "carrier.place with neither link nor document", lambda: carrier.place(NewCall(**call, link=None))
    yield "carrier.place with link 5", lambda: carrier.place(NewCall(**call, link=5))
    yield "carrier.place with told 5", lambda: carrier.place(NewCall(**call, detect=MachineDetection(told=5)))
    yield "carrier.place with dual None", lambda: carrier.place(NewCall(**call, recording=CallRecording(dual=None)))
    yield "carrier.place told of nothing", lambda: carrier.place(NewCall(**call, told_of=["rung"]))
    yield "carrier.later long ago", lambda: carrier.later(NewMessage(**message), datetime(1960, 1, 1, tzinfo=timezone.utc))
    yield "carrier.take_back None", lambda: carrier.take_back(None)
    yield "carrier.redirect to None", lambda: carrier.redirect(CALL, None)
    yield "carrier.go_on None", lambda: carrier.go_on(None, "<Response/>")
    yield "carrier.end None", lambda: carrier.end(None)
    yield "carrier.cancel None", lambda: carrier.cancel(None)
    yield "carrier.recording None", lambda: carrier.recording(None)
    yield "carrier.recording_audio None", lambda: carrier.recording_audio(None)
    yield "carrier.delete_recording None", lambda: carrier.delete_recording(None)
    yield "carrier.find_number None", lambda: carrier.find_number(None)
    yield "carrier.search_numbers in 5", lambda: carrier.search_numbers(5)
    yield "carrier.search_numbers with voice None", lambda: carrier.search_numbers(voice=None)
    yield "carrier.buy_number None", lambda: carrier.buy_number(None)
    yield "carrier.configure_number to 5", lambda: carrier.configure_number(US, NumberSettings(voice=5))
    yield "carrier.release_number None", lambda: carrier.release_number(None)
    yield "carrier.configure_short_code None", lambda: carrier.configure_short_code(None, NumberSettings())
    yield "carrier.access_token of None", lambda: carrier.access_token(None)
    yield "carrier.access_token with 1", lambda: carrier.access_token("ann", params={"a": 1})
    yield "carrier.search_numbers, None of them", lambda: carrier.search_numbers(most=None)
    yield "carrier.access_token for None", lambda: carrier.access_token("ann", ttl_s=None)
    yield "carrier.access_token for ever", lambda: carrier.access_token("ann", ttl_s=2**32)


def handed_over(returned: str) -> str:
    """What is handed to the host where a function returns this."""
    function = handlers.registered["voice"]
    try:
        handlers.registered["voice"] = lambda call: returned
        return handlers.document("voice", None)
    finally:
        handlers.registered["voice"] = function


def codes():
    """The host's codes, those with something in them above all."""
    from hookswitch._wasi import http as wasi

    yield wasi.ErrorCode_DnsError(wasi.DnsErrorPayload("NXDOMAIN", None)), "unreachable", "its host has no address"
    yield wasi.ErrorCode_HttpRequestBodySize(1), "limit", "its body is larger than may be sent"
    yield wasi.ErrorCode_HttpResponseBodySize(None), "limit", "the answer is larger than may be received"
    yield wasi.ErrorCode_HttpRequestHeaderSectionSize(1), "limit", "its headers are larger than may be sent"
    yield wasi.ErrorCode_ConnectionTerminated(), "broken", "the connection broke"
    yield wasi.ErrorCode_ConnectionLimitReached(), "limit", "there are too many requests; the log says which limit was met"
    yield wasi.ErrorCode_InternalError("x"), "broken", "what came back was no answer"


def explained(code) -> tuple[str, str]:
    from hookswitch import _wasi_http

    return _wasi_http._explained(code, lambda kind, words: (kind, words))


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
