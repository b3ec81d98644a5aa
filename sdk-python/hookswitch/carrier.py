"""What a handler does at its carrier: calls, messages, recordings, numbers, tokens for browser phones.

The host signs in; a handler never sees a credential. Each effect happens once, also when a webhook is delivered again.
Links are written as in documents, and ``voice/STEP`` leads to a step of this handler. What is found comes as the records
of ``wit/carrier.wit``, with names as in Python (``duration_s``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from hookswitch._host import answered, flag, host, needed, text, unsigned, whole
from hookswitch.handlers import Failure, sayable

_carrier = host("carrier")
T = TypeVar("T")


class CarrierError(Failure):
    """Why an operation did not come to what was asked for.

    ``kind`` is the contract's word: ``refused``, ``unknown``, ``not-yours``, ``limited``, ``unavailable`` or ``invalid``.
    """

    def __init__(self, kind: str, told: Any) -> None:
        super().__init__(f"carrier: {_message(kind, told)}")
        self.kind = kind
        #: HTTP status and the carrier's own code; None but for ``refused``.
        self.status: int | None = told.status if kind == "refused" else None
        self.code: int | None = told.code if kind == "refused" else None
        #: After how many milliseconds there is room again; None but for ``limited``.
        self.retry_after_ms: int | None = told.retry_after_ms if kind == "limited" else None


@dataclass(frozen=True, kw_only=True)
class MachineDetection:
    """How it is found out whether a machine answers."""

    until_greeting_ends: bool = False
    timeout_s: int | None = None
    #: Where the result is told while the call goes on at once; None holds the call until it is known.
    told: str | None = None


@dataclass(frozen=True, kw_only=True)
class CallRecording:
    """How a call is recorded."""

    dual: bool = False
    trim: bool = False
    told: str | None = None


@dataclass(frozen=True, kw_only=True)
class NewCall:
    """A call to be placed. Whoever answers hears ``document``, or what ``link`` answers with."""

    to: str
    from_: str
    link: str | None = "voice"
    document: object | None = None
    fallback: str | None = None
    timeout_s: int | None = None
    time_limit_s: int | None = None
    send_digits: str | None = None
    detect: MachineDetection | None = None
    recording: CallRecording | None = None
    told: str | None = None
    #: Of ``initiated``, ``ringing``, ``answered``, ``completed``; empty is the end alone.
    told_of: Sequence[str] = ()
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class NewMessage:
    """A message to be sent, from a number of this tenant or a messaging service."""

    to: str
    from_: str | None = None
    service: str | None = None
    body: str = ""
    media: Sequence[str] = ()
    told: str | None = None
    validity_s: int | None = None


@dataclass(frozen=True, kw_only=True)
class NumberSettings:
    """What a number leads to; what is None stays as it is."""

    name: str | None = None
    voice: str | None = None
    voice_fallback: str | None = None
    sms: str | None = None
    sms_fallback: str | None = None
    status: str | None = None


def place(call: NewCall) -> str:
    """Places a call; its id as soon as the carrier has taken it."""
    return _ask(lambda: _carrier.place(_call(call)))


def send(message: NewMessage) -> str:
    """Sends a message; its id as soon as the carrier has taken it."""
    return _ask(lambda: _carrier.send(_sent(message)))


def later(what: NewCall | NewMessage, at: datetime | None = None) -> str:
    """Has it done by the host's outbox, at a time or as soon as possible; its id there."""
    deferred = _carrier.Deferred_Place(_call(what)) if isinstance(what, NewCall) else _carrier.Deferred_Send(_sent(what))
    at_ms = None if at is None else int(at.timestamp() * 1000)
    if at_ms is not None and at_ms < 0:
        raise Failure(f"carrier: at is {at}; expected a time after 1969")
    return _ask(lambda: _carrier.later(deferred, at_ms))


def take_back(id: str) -> bool:
    """Takes something out of the outbox; False where it is done already, or there is no such thing."""
    needed("carrier", id=id)
    return _ask(lambda: _carrier.take_back(id))


def redirect(call: str, link: str) -> None:
    """A call in progress goes on with the document of this link."""
    needed("carrier", call=call, link=link)
    _ask(lambda: _carrier.update(call, _carrier.CallChange_Link(link)))


def go_on(call: str, document: object) -> None:
    """A call in progress goes on with this document."""
    needed("carrier", call=call)
    _ask(lambda: _carrier.update(call, _carrier.CallChange_Document(sayable(str(document)))))


def end(call: str) -> None:
    """Ends a call, whatever it is doing."""
    needed("carrier", call=call)
    _ask(lambda: _carrier.update(call, _carrier.CallChange_Complete()))


def cancel(call: str) -> None:
    """Ends a call unless it was answered."""
    needed("carrier", call=call)
    _ask(lambda: _carrier.update(call, _carrier.CallChange_Cancel()))


def recording(id: str) -> Any:
    """A recording's facts: ``call``, ``status``, ``duration_s``, ``channels``, ``media_url``."""
    needed("carrier", id=id)
    return _ask(lambda: _carrier.find_recording(id))


def recording_audio(id: str, audio: str = "mp3") -> bytes:
    """A recording's audio, ``wav`` or ``mp3``, at most 4 MiB."""
    needed("carrier", id=id)
    return _ask(lambda: _carrier.recording_audio(id, _word(_carrier.Audio, audio)))


def delete_recording(id: str) -> None:
    """Deletes a recording for good."""
    needed("carrier", id=id)
    _ask(lambda: _carrier.delete_recording(id))


def find_number(number: str) -> Any:
    """The number of this tenant that reads so; None where the account has it not."""
    needed("carrier", number=number)
    return _ask(lambda: _carrier.find_number(number))


def search_numbers(
    country: str = "US",
    kind: str = "local",
    *,
    area_code: int | None = None,
    contains: str | None = None,
    locality: str | None = None,
    region: str | None = None,
    postal_code: str | None = None,
    voice: bool = True,
    sms: bool = False,
    mms: bool = False,
    most: int = 20,
) -> list[Any]:
    """Numbers that are for sale."""
    abilities = {"voice": voice, "sms": sms, "mms": mms}
    place = {"area_code": area_code, "contains": contains, "locality": locality, "region": region, "postal_code": postal_code}
    needed("carrier", country=country)
    text("carrier", contains=contains, locality=locality, region=region, postal_code=postal_code)
    unsigned("carrier", area_code=area_code)
    whole("carrier", 1, 100, most=most)
    flag("carrier", **abilities)
    search = _carrier.NumberSearch(country=country, kind=_word(_carrier.NumberKind, kind), **place, **abilities, most=most)
    return _ask(lambda: _carrier.search_numbers(search))


def buy_number(number: str, settings: NumberSettings = NumberSettings()) -> Any:
    """Buys a number, which costs money at once; an operator has to have allowed it."""
    needed("carrier", number=number)
    return _ask(lambda: _carrier.buy_number(number, _settings(settings)))


def configure_number(number: str, settings: NumberSettings) -> Any:
    """Changes what a number of this tenant leads to."""
    needed("carrier", number=number)
    return _ask(lambda: _carrier.configure_number(number, _settings(settings)))


def release_number(number: str) -> None:
    """Gives a number back to the carrier. It may never be had again."""
    needed("carrier", number=number)
    _ask(lambda: _carrier.release_number(number))


def short_codes() -> list[Any]:
    """The short codes of the tenant's account."""
    return _ask(_carrier.short_codes)


def configure_short_code(code: str, settings: NumberSettings) -> Any:
    """Changes what a short code of this tenant leads to: its name and its ``sms`` links."""
    needed("carrier", code=code)
    return _ask(lambda: _carrier.configure_short_code(code, _settings(settings)))


def access_token(
    identity: str,
    *,
    application: str | None = None,
    params: dict[str, str] | None = None,
    incoming: bool = False,
    ttl_s: int = 3600,
) -> str:
    """A token with which a browser phone signs in: a JWT. Asks nobody."""
    needed("carrier", identity=identity)
    text("carrier", application=application)
    for name, value in (params or {}).items():
        needed("carrier: params", **{"a name": name, "a value": value})
    flag("carrier", incoming=incoming)
    whole("carrier", 1, 86_400, ttl_s=ttl_s)
    grant = _carrier.VoiceGrant(
        identity=identity, application=application, params=list((params or {}).items()), incoming=incoming, ttl_s=ttl_s
    )
    return _ask(lambda: _carrier.access_token(grant))


def _ask(act: Callable[[], T]) -> T:
    return answered(act, CarrierError)


def _message(kind: str, told: Any) -> str:
    match kind:
        case "refused":
            code = f", code {told.code}" if told.code else ""
            return f"it refused: {told.message} ({told.status}{code})"
        case "limited":
            return f"{told.message}; there is room again in {told.retry_after_ms} ms"
        case "unknown":
            return f"it is not known whether it was done: {told}"
        case _:
            return str(told)


def _call(call: NewCall) -> Any:
    needed("carrier: a call", to=call.to, from_=call.from_)
    if call.document is None:
        needed("carrier: a call", link=call.link)
    text("carrier: a call", fallback=call.fallback, send_digits=call.send_digits, told=call.told, reason=call.reason)
    unsigned("carrier: a call", timeout_s=call.timeout_s, time_limit_s=call.time_limit_s)
    if call.detect:
        flag("carrier: detect", until_greeting_ends=call.detect.until_greeting_ends)
        text("carrier: detect", told=call.detect.told)
        unsigned("carrier: detect", timeout_s=call.detect.timeout_s)
    if call.recording:
        flag("carrier: recording", dual=call.recording.dual, trim=call.recording.trim)
        text("carrier: recording", told=call.recording.told)
    values = vars(call).copy()
    link, document = values.pop("link"), values.pop("document")
    values["lead"] = _carrier.Lead_Link(link) if document is None else _carrier.Lead_Document(sayable(str(document)))
    values["detect"] = call.detect and _carrier.MachineDetection(**vars(call.detect))
    values["recording"] = call.recording and _carrier.CallRecording(**vars(call.recording))
    values["told_of"] = [_word(_carrier.Progress, stage) for stage in call.told_of]
    return _carrier.NewCall(**values)


def _sent(message: NewMessage) -> Any:
    needed("carrier: a message", to=message.to, body=message.body)
    text("carrier: a message", from_=message.from_, service=message.service, told=message.told)
    unsigned("carrier: a message", validity_s=message.validity_s)
    for media in message.media:
        needed("carrier: a message", media=media)
    values = vars(message).copy()
    service = values.pop("service")
    if (message.from_ is None) == (service is None):
        raise Failure("carrier: a message comes from a number or a service; expected one of `from_` and `service`")
    values["from_"] = _carrier.Sender_Number(message.from_) if service is None else _carrier.Sender_Service(service)
    values["media"] = list(message.media)
    return _carrier.NewMessage(**values)


def _settings(settings: NumberSettings) -> Any:
    text("carrier: settings of a number", **vars(settings))
    return _carrier.NumberSettings(**vars(settings))


def _word(kind: Any, word: str) -> Any:
    """A case of the contract's enum by its word: ``toll-free``."""
    cases = {case.name.lower().replace("_", "-"): case for case in kind}
    if word not in cases:
        raise Failure(f"carrier: {word!r} is not known; expected {', '.join(cases)}")
    return cases[word]
