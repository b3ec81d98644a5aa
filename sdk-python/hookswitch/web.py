"""Web requests and what a handler answers them: under ``/{tenant}/{handler}/web`` and all behind it.

``on_web`` marks the function that takes them. Anybody may have sent one. What goes through ``wasi:http`` is
``_wasi_web``'s business.
"""

from __future__ import annotations

import json as _json
from collections.abc import Iterable, Mapping
from urllib.parse import parse_qsl

from hookswitch._host import needed
from hookswitch.handlers import Failure, sayable

#: Tells how much of a path is the handler's place.
PREFIX_HEADER = "x-hookswitch-prefix"


class Request:
    """One web request, whole."""

    #: ``GET``, ``POST``, …
    method: str
    #: The path behind the handler's place, as it was sent; begins with ``/``.
    path: str
    #: The parameters of the URL; the first value where there are several.
    query: dict[str, str]
    #: All header fields, names in lower case; the first value where there are several.
    headers: dict[str, str]
    body: bytes

    def __init__(self, method: str, target: str, headers: list[tuple[str, str]], body: bytes) -> None:
        """``target`` is path and query as sent, the handler's place included."""
        self.method = method
        self.headers = {}
        for name, value in headers:
            self.headers.setdefault(name.lower(), value)
        self.body = body
        path, _, query = target.partition("?")
        self._prefix = self.headers.get(PREFIX_HEADER, "")
        self.path = path.removeprefix(self._prefix) or "/"
        self.query = _first(query)

    @property
    def route(self) -> tuple[str, str]:
        """Method and path, to match on: ``("POST", "/call")``."""
        return self.method, self.path

    @property
    def segments(self) -> list[str]:
        """The path's segments, to match on: ``["calls", id]``. As they were sent; empty for ``/``."""
        return [segment for segment in self.path.split("/") if segment]

    @property
    def client(self) -> str:
        """Who sent it: an address, as the host saw it or a proxy that it trusts."""
        return self.headers.get("x-hookswitch-client", "")

    @property
    def form(self) -> dict[str, str]:
        """The fields of a form in the body; none where it is something else."""
        is_form = self.headers.get("content-type", "").lstrip().startswith("application/x-www-form-urlencoded")
        return _first(self.body.decode(errors="replace")) if is_form else {}

    def header(self, name: str) -> str | None:
        """The first value of a header field, whatever the case of its name; None where there is none."""
        return self.headers.get(name.lower())

    def link(self, path: str) -> str:
        """A link to another path of this handler: ``request.link("/thanks")`` for ``location`` and for pages."""
        return f"{self._prefix}/{path.lstrip('/')}"

    def text(self) -> str:
        """The body as text."""
        try:
            return self.body.decode()
        except UnicodeDecodeError as cause:
            raise Failure("the body of the request is no text") from cause

    def json(self) -> object:
        """The body read as JSON."""
        try:
            return _json.loads(self.body)
        except ValueError as cause:
            raise Failure("the body of the request can't be read as JSON") from cause


class Response:
    """An answer, at most 1 MiB of it. The host frames it: lengths and what belongs to a connection are not the handler's."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def __init__(self, body: bytes | str = b"", *, status: int = 200, headers: Mapping[str, str] | Iterable[tuple[str, str]] = ()) -> None:
        """``status`` is 200 to 599; ``headers`` are pairs where a field comes more than once."""
        if not isinstance(body, (bytes, str)):
            raise Failure(f"the answer to a web request has {body!r} as its body; expected bytes or text")
        if not isinstance(status, int) or not 200 <= status <= 599:
            raise Failure(f"the answer to a web request has the status {status!r}; expected 200 to 599")
        self.status = status
        self.headers = [(name.lower(), value) for name, value in (headers.items() if isinstance(headers, Mapping) else headers)]
        for name, value in self.headers:
            needed("the answer to a web request: headers", **{name: value})
        self.body = sayable(body).encode() if isinstance(body, str) else body

    @classmethod
    def text(cls, words: str, **more: object) -> Response:
        """Plain text."""
        return cls._of("text/plain; charset=utf-8", str(words), more)

    @classmethod
    def html(cls, page: str, **more: object) -> Response:
        """A page. Whatever comes from elsewhere has to be escaped (``html.escape``) by whoever writes it into the page."""
        return cls._of("text/html; charset=utf-8", str(page), more)

    @classmethod
    def json(cls, value: object, **more: object) -> Response:
        """A value as JSON."""
        try:
            return cls._of("application/json", _json.dumps(value), more)
        except (TypeError, ValueError) as cause:
            raise Failure(f"the answer to a web request is {value!r}, which can't be written as JSON") from cause

    @classmethod
    def see_other(cls, link: str) -> Response:
        """Sends a browser elsewhere with a GET (303), as after a form."""
        return cls(status=303, headers={"location": link})

    @classmethod
    def not_found(cls) -> Response:
        """404."""
        return cls.text("There is nothing here.\n", status=404)

    @classmethod
    def _of(cls, content_type: str, body: str, more: dict[str, object]) -> Response:
        made = cls(body, **more)  # type: ignore[arg-type]
        if made.header("content-type") is None:
            made.headers.insert(0, ("content-type", content_type))
        return made

    def header(self, name: str) -> str | None:
        """The first value of a header field, whatever the case of its name; None where there is none."""
        return next((value for own, value in self.headers if own == name.lower()), None)


def _first(query: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        found.setdefault(name, value)
    return found
