"""Tests of handlers in plain Python: ``python -m unittest``.

Outside a component the host's interfaces are answered here: settings, secrets, a session and a store that a test sets, a
log and a carrier's work that it reads. What is answered is what the real host would.
"""

from __future__ import annotations

import json as _json
from types import SimpleNamespace
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from hookswitch.handlers import document, notify, respond
from hookswitch.testing import state

if TYPE_CHECKING:
    from hookswitch import http
    from hookswitch.web import Response

#: Where a test's handler is.
_PREFIX = "/dev/handler/web"
_CALL = "CA00000000000000000000000000000001"


def reset(**config: object) -> None:
    """Forgets everything, and makes ``config`` the settings; values as in TOML."""
    for held in (state.logged, state.config, state.secrets, state.session, state.store, state.outward, state.answers, state.requests):
        held.clear()
    state.refusal = None
    for key, value in config.items():
        state.config[key] = value if isinstance(value, str) else _json.dumps(value)


def logged() -> list[tuple[str, str]]:
    """What was logged: pairs of level and message."""
    return list(state.logged)


def secret(name: str, value: str) -> None:
    """Grants a secret."""
    state.secrets[name] = value


def new_session() -> None:
    """Begins another conversation: its session is empty, the store is as it was."""
    state.session.clear()


def outward() -> list[dict[str, object]]:
    """What the handler asked its carrier for, such as ``{"what": "send", "to": …, "from_": …, "body": …}``."""
    return list(state.outward)


def refuse(kind: str, told: object) -> None:
    """Makes the carrier answer everything that would change something with this error: ``refuse("not-yours", "…")``.

    ``told`` is a dict for ``refused`` (status, code, message) and ``limited`` (message, retry_after_ms).
    """
    state.refusal = (kind, told)


def answers(asked: str, status: int, body: str | bytes = b"") -> None:
    """Answers a request of the handler: ``answers("GET https://api.example.com/leads", 200, "{}")``, whatever its parameters."""
    state.answers[asked] = (status, body.encode() if isinstance(body, str) else body)


def fails(asked: str, kind: str) -> None:
    """Lets a request of the handler fail: ``fails("GET https://api.example.com/leads", "timeout")``."""
    state.answers[asked] = kind


def requests() -> list[http.Request]:
    """The requests that the handler made."""
    return list(state.requests)


def answer(**fields: object) -> str:
    """What the handler answers to a voice webhook with these fields; ``params`` are the carrier's."""
    return document("voice", _webhook({"id": _CALL, "direction": "inbound", "status": "ringing", "digits": None, "speech": None}, fields))


def receive(**fields: object) -> str:
    """What the handler answers to a message."""
    return document("messaging", _webhook({"id": "SM00000000000000000000000000000001", "body": "", "media_count": 0, "segments": 1}, fields))


def tell(**fields: object) -> None:
    """Tells the handler of an event."""
    notify(_webhook({"kind": "call", "subject": _CALL, "status": "", "sequence": None}, fields))


def run(name: str, scheduled_time: str, local_time: str | None = None, attempt: int = 1) -> None:
    """Tells the handler of a schedule's run: ``run("remind", "2026-11-23T09:00:00Z", "2026-11-23T10:00:00+01:00")``."""
    # To the minute, as the host writes it.
    subject = f"schedule:{name}:{scheduled_time[:16]}Z"
    times = {"Schedule": name, "ScheduledTime": scheduled_time, "LocalTime": local_time or scheduled_time, "Attempt": attempt}
    tell(kind="other", status="schedule", account="", step=name, subject=subject, time_left_ms=10_000, params=times)


def web(
    method: str,
    path: str = "/",
    *,
    headers: dict[str, str] | None = None,
    body: bytes | str = b"",
    form: dict[str, str] | None = None,
    json: object = None,
) -> Response:
    """What the handler answers to a web request; the path begins behind the handler's place and may have a query."""
    from hookswitch.web import PREFIX_HEADER, Request

    sent = {PREFIX_HEADER: _PREFIX, "x-hookswitch-client": "192.0.2.1"}
    if form is not None:
        sent["content-type"], body = "application/x-www-form-urlencoded", urlencode(form)
    elif json is not None:
        sent["content-type"], body = "application/json", _json.dumps(json)
    sent |= {name.lower(): value for name, value in (headers or {}).items()}
    return respond(Request(method, f"{_PREFIX}{path}", list(sent.items()), body.encode() if isinstance(body, str) else body))


def _webhook(own: dict[str, object], fields: dict[str, object]) -> SimpleNamespace:
    common = {"account": "AC00000000000000000000000000000001", "from_": "+12025550123", "to": "+12025550199", "step": "", "time_left_ms": 3000}
    form = urlencode(fields.pop("params", {}))
    known = {**common, **own, "form": form}
    if unknown := set(fields) - set(known):
        raise TypeError(f"a webhook of this kind has no {', '.join(sorted(unknown))}; it has {', '.join(sorted(known))}")
    return SimpleNamespace(**{**known, **fields})
