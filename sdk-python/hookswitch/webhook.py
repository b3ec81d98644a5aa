"""One webhook as handlers see it: the contract's fields, and every parameter of the carrier by its name."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl


class _Webhook:
    """What every webhook has; fields are read through from the contract's record."""

    #: The carrier account (``AccountSid``).
    account: str
    #: Where in the conversation we are: the part of the URL after ``/voice/``, ``/sms/`` or ``/status/``; empty at first.
    step: str
    #: Wall time that was left for this webhook when it began, in milliseconds.
    time_left_ms: int
    #: Every parameter as the carrier sent it, as ``application/x-www-form-urlencoded``.
    form: str

    def __init__(self, fields: object) -> None:
        self._fields = fields
        self._params: dict[str, str] | None = None

    def __getattr__(self, name: str) -> object:
        return getattr(self._fields, name)

    @property
    def params(self) -> dict[str, str]:
        """Every parameter by the carrier's name; the first value where there are several. Read when first asked for."""
        if self._params is None:
            self._params = {}
            for name, value in parse_qsl(self.form, keep_blank_values=True):
                self._params.setdefault(name, value)
        return self._params

    def param(self, name: str) -> str | None:
        """One parameter by the carrier's name; None if it was not sent."""
        return self.params.get(name)


def _word(value: object) -> str:
    """An enum of the contract as its word: ``no-answer``."""
    return value if isinstance(value, str) else value.name.lower().replace("_", "-")  # type: ignore[attr-defined]


class Call(_Webhook):
    """The carrier asks what the caller hears next."""

    #: The carrier's id of this leg (``CallSid``).
    id: str
    #: Who calls (``From``): ``+12025550123``, ``client:NAME``, ``sip:…``, or a word such as ``anonymous``.
    from_: str
    #: Who is called (``To``).
    to: str
    #: Keys the caller pressed; ``""`` when a gather ended without input; None outside an answer.
    digits: str | None
    #: What the caller said; None outside a speech answer.
    speech: str | None

    @property
    def direction(self) -> str:
        """Who began the call: ``inbound``, ``outbound-api``, ``outbound-dial`` or ``other``."""
        return _word(self._fields.direction)  # type: ignore[attr-defined]

    @property
    def status(self) -> str:
        """Where this leg is: ``queued``, ``ringing``, ``in-progress``, ``completed``, ``no-answer``…"""
        return _word(self._fields.status)  # type: ignore[attr-defined]


class Message(_Webhook):
    """Somebody sent a text or picture and may get an answer."""

    #: The carrier's id of the message (``MessageSid``).
    id: str
    from_: str
    to: str
    #: The text as sent; may be empty.
    body: str
    #: Attached media, 0 to 10; their URLs are the parameters ``MediaUrl0``…
    media_count: int
    #: SMS segments the text took, at least 1.
    segments: int


@dataclass(frozen=True)
class Run:
    """One run of a schedule (``[[schedule]]`` of ``handler.toml``). A run that fails is tried again, at most three times."""

    #: The schedule's name in ``handler.toml``.
    name: str
    #: The same for every attempt at this moment, and for no other: ``schedule:remind:2026-11-23T09:00Z``.
    id: str
    #: The moment it is for, in UTC: ``2026-11-23T09:00:00Z``. A run that was missed is made up up to 15 minutes later.
    scheduled_time: str
    #: The same by the clocks of the schedule's time zone: ``2026-11-23T10:00:00+01:00``.
    local_time: str
    #: From 1 to 4.
    attempt: int


class Event(_Webhook):
    """The carrier tells, and expects no document. Events may come late, twice or in another order."""

    #: The call, conference or message it is about.
    subject: str
    #: What happened, in the carrier's word; may be empty.
    status: str
    #: Place in the order of happening; None if the carrier sent none.
    sequence: int | None

    @property
    def kind(self) -> str:
        """What it tells about: ``call``, ``message``, ``recording``, ``transcription``, ``conference``…"""
        return _word(self._fields.kind)  # type: ignore[attr-defined]

    @property
    def run(self) -> Run | None:
        """The run of a schedule that this is; None where a carrier tells something."""
        if (self.kind, self.status, self.account) != ("other", "schedule", "") or not self.subject.startswith("schedule:"):
            return None
        scheduled, local = self.param("ScheduledTime") or "", self.param("LocalTime") or ""
        return Run(self.step, self.subject, scheduled, local, int(self.param("Attempt") or 1))
