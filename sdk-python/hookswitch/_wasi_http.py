"""A request through ``wasi:http``. In native tests, ``hookswitch.testing.http`` stands in for this module."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from componentize_py_types import Err
from wit_world.imports import outgoing_handler, streams

from hookswitch._wasi import http, write

if TYPE_CHECKING:
    from hookswitch.http import HttpError, Request

#: What is read at once.
CHUNK_BYTES = 65_536

#: The host's codes in the helper's words; the whole story is in the log.
KINDS = {
    "HttpRequestDenied": ("denied", "the host refused it; the log says why and what would permit it"),
    "DestinationIpProhibited": ("prohibited", "its address is one that handlers may not reach"),
    "DnsError": ("unreachable", "its host has no address"),
    "DnsTimeout": ("unreachable", "its host has no address"),
    "ConnectionRefused": ("unreachable", "nobody answers there"),
    "DestinationUnavailable": ("unreachable", "nobody answers there"),
    "TlsCertificateError": ("tls", "its certificate is not to be trusted"),
    "TlsProtocolError": ("tls", "there is no encrypted connection"),
    "ConnectionTimeout": ("timeout", "no connection in time"),
    "HttpResponseTimeout": ("timeout", "no answer in time"),
    "ConnectionReadTimeout": ("timeout", "the rest of the answer did not come in time"),
    "ConnectionLimitReached": ("limit", "there are too many requests; the log says which limit was met"),
    "HttpRequestBodySize": ("limit", "its body is larger than may be sent"),
    "HttpResponseBodySize": ("limit", "the answer is larger than may be received"),
    "HttpRequestHeaderSectionSize": ("limit", "its headers are larger than may be sent"),
    "HttpRequestUriInvalid": ("request", "its URL can't be sent"),
    "HttpRequestMethodInvalid": ("request", "its method can't be sent"),
    "ConnectionTerminated": ("broken", "the connection broke"),
}

#: Makes the error of a kind and a reason.
Failed = Callable[[str, str], "HttpError"]


def send(request: Request, failed: Failed) -> tuple[int, list[tuple[str, str]], bytes]:
    """Status, headers and body of the answer."""
    with _begin(request, failed) as future:
        with future.subscribe() as ready:
            ready.block()
        # Twice a result: whether it can be had, once only, and whether it came.
        found = future.get().value
        answer = found.value
        if type(answer).__name__.startswith("ErrorCode_"):
            raise _explained(answer, failed)
    with answer, answer.headers() as fields:
        headers = [(name, value.decode(errors="replace")) for name, value in fields.entries()]
        return answer.status(), headers, _read(answer, failed)


def _begin(request: Request, failed: Failed) -> Any:
    what = "headers"
    try:
        fields = http.Fields.from_list([(name, value.encode()) for name, value in request.headers])
        outgoing = http.OutgoingRequest(fields)
        what = "method"
        outgoing.set_method(_method(request.method))
        what = "URL"
        outgoing.set_scheme(http.Scheme_Https() if request.scheme == "https" else http.Scheme_Http())
        outgoing.set_authority(request.authority)
        outgoing.set_path_with_query(request.path)
        body = outgoing.body() if request.body else None
    except Err:
        raise failed("request", f"its {what} can't be sent") from None
    options = None
    if request.timeout_ms is not None:
        options = http.RequestOptions()
        options.set_first_byte_timeout(request.timeout_ms * 1_000_000)
        options.set_between_bytes_timeout(request.timeout_ms * 1_000_000)
    try:
        future = outgoing_handler.handle(outgoing, options)
    except Err as error:
        raise _explained(error.value, failed) from None
    if body is not None:
        # What cuts it short is what the answer will say.
        write(body, request.body)
    return future


def _read(answer: Any, failed: Failed) -> bytes:
    chunks = []
    with answer.consume() as body, body.stream() as stream:
        while True:
            try:
                chunks.append(stream.blocking_read(CHUNK_BYTES))
            except Err as end:
                if isinstance(end.value, streams.StreamError_Closed):
                    return b"".join(chunks)
                cause = end.value.value
                code = http.http_error_code(cause)
                raise (_explained(code, failed) if code else failed("broken", cause.to_debug_string())) from None


def _method(name: str) -> Any:
    known = getattr(http, f"Method_{name.capitalize()}", None)
    return known() if known and name != "OTHER" else http.Method_Other(name)


def _explained(code: Any, failed: Failed) -> HttpError:
    """The error of one of the host's codes; some have a ``value`` of their own."""
    return failed(*KINDS.get(type(code).__name__.removeprefix("ErrorCode_"), ("broken", "what came back was no answer")))
