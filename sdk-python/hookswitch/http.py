"""Requests to other services. There are no sockets in a component, so packages that open some can't be used.

Whom a handler may call stands in its ``handler.toml``, as ``[outbound] allow = ["https://api.example.com"]``. Somebody is
on the line meanwhile: give ``timeout_ms``, and answer without where nothing comes. Redirects are not followed.

The host sends a request up to three times where the connection fails or the service answers 429, 502, 503 or 504, and where
twice does what once does: GET, HEAD, OPTIONS, PUT, DELETE, and POST with the header ``idempotency-key``. ``once=True`` turns
that off.
"""

from __future__ import annotations

import json as _json
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from hookswitch._host import needed, text, unsigned
from hookswitch.handlers import Failure

try:
    from hookswitch._wasi_http import send as _send
except ModuleNotFoundError as missing:
    if missing.name not in ("componentize_py_types", "wit_world", "wit_world.imports"):
        raise
    from hookswitch.testing.http import send as _send


class HttpError(Failure):
    """Why there is no answer.

    ``kind`` is ``request``, ``denied``, ``prohibited``, ``unreachable``, ``tls``, ``timeout``, ``limit`` or ``broken``.
    """

    def __init__(self, message: str, kind: str) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True)
class Request:
    """A request as it is sent."""

    method: str
    scheme: str
    #: Host and port.
    authority: str
    #: With the parameters.
    path: str
    headers: list[tuple[str, str]] = field(repr=False)
    body: bytes = field(repr=False)
    timeout_ms: int | None

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.authority}{self.path}"

    @property
    def shown(self) -> str:
        """Method and URL without the parameters, which may be secret."""
        return f"{self.method} {self.url.partition('?')[0]}"


@dataclass(frozen=True)
class Answer:
    """What a service answered, whether yes or no."""

    request: Request
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def ok(self) -> bool:
        """Whether the service said yes: a status from 200 to 299."""
        return 200 <= self.status < 300

    def header(self, name: str) -> str | None:
        """The first header of this name; None where there is none."""
        return next((value for found, value in self.headers if found.lower() == name.lower()), None)

    def text(self) -> str:
        try:
            return self.body.decode()
        except UnicodeDecodeError as cause:
            raise Failure(f"http: {self.request.shown}: the answer is no text") from cause

    def json(self) -> object:
        try:
            return _json.loads(self.body)
        except ValueError as cause:
            raise Failure(f"http: {self.request.shown}: the answer is not JSON") from cause


def request(
    url: str,
    *,
    method: str | None = None,
    headers: Mapping[str, str] | None = None,
    body: bytes | str | None = None,
    json: object = None,
    timeout_ms: int | None = None,
    once: bool = False,
) -> Answer:
    """Sends a request and takes the whole answer: GET, or POST where there is a ``body`` or something to send as ``json``.

    ``timeout_ms`` is for each attempt: for the answer, and then for each further piece of it. With ``once`` there is one
    attempt, whatever comes. What the call leaves is the bound in any case.
    """
    text("http", method=method, url=url)
    try:
        parts = urlsplit(url)
    except ValueError as cause:
        raise HttpError(f"http: the URL is {url!r}; expected https://host/path", "request") from cause
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise HttpError(f"http: the URL is {url!r}; expected https://host/path", "request")
    unsigned("http", timeout_ms=timeout_ms)
    method = (method or ("GET" if json is None and not body else "POST")).upper()
    if not method.isalpha():
        raise HttpError(f"http: the method is {method!r}; expected one such as GET", "request")
    for name, value in (headers or {}).items():
        needed("http: headers", **{"a name": name, str(name): value})
    sent = {name.lower(): value for name, value in (headers or {}).items()}
    if once:
        sent["x-hookswitch-retry"] = "off"
    if json is not None:
        body = _json.dumps(json)
        sent.setdefault("content-type", "application/json")
    if isinstance(body, str):
        text("http", body=body)
        body = body.encode()
    if body is None:
        body = b""
    if not isinstance(body, bytes):
        raise Failure(f"http: body is {body!r}; expected bytes or text")
    asked = Request(
        method=method,
        scheme=parts.scheme,
        authority=parts.netloc,
        path=(parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
        headers=list(sent.items()),
        body=body,
        timeout_ms=timeout_ms,
    )
    return Answer(asked, *_send(asked, lambda kind, why: HttpError(f"http: {asked.shown}: {why}", kind)))
