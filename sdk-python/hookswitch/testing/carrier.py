"""Stands in for the interface ``carrier``: takes everything, gives ids, and remembers what it was asked for."""

from __future__ import annotations

from enum import Enum
from types import SimpleNamespace
from typing import Any

from hookswitch.testing import state
from hookswitch.testing.table import Refused


class Progress(Enum):
    INITIATED = 0
    RINGING = 1
    ANSWERED = 2
    COMPLETED = 3


class Audio(Enum):
    WAV = 0
    MP3 = 1


class NumberKind(Enum):
    LOCAL = 0
    TOLL_FREE = 1
    MOBILE = 2
    NATIONAL = 3
    SHARED_COST = 4
    VOIP = 5


class Record(SimpleNamespace):
    """A record of the contract, or with one unnamed value a case of a variant."""

    def __init__(self, value: object = None, **fields: object) -> None:
        super().__init__(**(fields or {"value": value}))


def __getattr__(name: str) -> type[Record]:
    # Records and variants: NewCall, Lead_Link…
    if not name[0].isupper():
        raise AttributeError(f"module 'hookswitch.testing.carrier' has no attribute {name!r}")
    globals()[name] = made = type(name, (Record,), {})
    return made


def _take(what: str, kind: str = "", **asked: object) -> str:
    if state.refusal:
        case, told = state.refusal
        told = SimpleNamespace(**told) if isinstance(told, dict) else told
        raise Refused("Error_" + "".join(word.capitalize() for word in case.split("-")), told)
    state.outward.append({"what": what, **asked})
    return f"{kind}{len(state.outward):032x}"


def _shown(asked: Record) -> dict[str, Any]:
    """What was asked for, without what was left out; variants as their values."""
    fields = {name: value for name, value in vars(asked).items() if value not in (None, [])}
    if lead := fields.pop("lead", None):
        fields[type(lead).__name__.removeprefix("Lead_").lower()] = lead.value
    if isinstance(fields["from_"], Record):
        fields["from_"] = fields["from_"].value
    if "told_of" in fields:
        fields["told_of"] = [stage.name.lower() for stage in fields["told_of"]]
    return fields


def place(call: Record) -> str:
    return _take("place", "CA", **_shown(call))


def send(message: Record) -> str:
    return _take("send", "MM" if message.media else "SM", **_shown(message))


def later(what: Record, at_ms: int | None) -> str:
    return _take(type(what).__name__.removeprefix("Deferred_").lower(), later=True, at_ms=at_ms, **_shown(what.value))


def take_back(id: str) -> bool:
    return bool(_take("take-back", id=id))


def update(id: str, change: Record) -> None:
    to = type(change).__name__.removeprefix("CallChange_").lower()
    _take("update", call=id, to=to if change.value is None else change.value)


def find_recording(id: str) -> Record:
    url = f"https://example.com/recordings/{id}"
    return Record(id=id, call="", status="completed", duration_s=7, channels=1, media_url=url)


def recording_audio(id: str, audio: Audio) -> bytes:
    return b""


def delete_recording(id: str) -> None:
    _take("delete-recording", id=id)


def _number(number: str, settings: Record | None = None) -> Record:
    abilities = Record(voice=True, sms=True, mms=False)
    given = vars(settings) if settings else {}
    name, voice, sms = given.get("name") or number, given.get("voice") or "", given.get("sms") or ""
    return Record(id=f"PN{1:032x}", number=number, name=name, voice_url=voice, sms_url=sms, abilities=abilities)


def find_number(number: str) -> Record | None:
    return _number(number)


def search_numbers(search: Record) -> list[Record]:
    place = {"locality": search.locality or "", "region": search.region or "", "country": search.country}
    abilities = Record(voice=True, sms=True, mms=False)
    return [
        Record(number=f"+1202555010{n}", name=f"(202) 555-010{n}", abilities=abilities, **place) for n in range(min(search.most, 3))
    ]


def buy_number(number: str, settings: Record) -> Record:
    _take("buy-number", number=number)
    return _number(number, settings)


def configure_number(number: str, settings: Record) -> Record:
    _take("configure-number", number=number)
    return _number(number, settings)


def release_number(number: str) -> None:
    _take("release-number", number=number)


def short_codes() -> list[Record]:
    return []


def configure_short_code(code: str, settings: Record) -> Record:
    _take("configure-short-code", code=code)
    return Record(id=f"SC{1:032x}", code=code, name=settings.name or code, sms_url=settings.sms or "")


def access_token(grant: Record) -> str:
    return f"token.of.{grant.identity}"
