"""A web request through ``wasi:http/incoming-handler``. In native tests ``hookswitch.testing.web`` asks the function itself."""

from __future__ import annotations

from typing import Any

from componentize_py_types import Err, Ok
from wit_world.imports import streams

from hookswitch import handlers, log
from hookswitch._wasi import http, write
from hookswitch.web import Request, Response

#: What is read at once.
CHUNK_BYTES = 65_536


def handle(incoming: Any, out: Any) -> None:
    """Reads the request, has it answered, and writes the answer. What is raised goes to the host, which answers it."""
    try:
        response = handlers.respond(_read(incoming))
        head = _head(response)
    except Exception as error:
        message, causes = handlers.failure_of(error)
        for cause in causes:
            log.error(f"caused by: {cause}")
        http.ResponseOutparam.set(out, Err(http.ErrorCode_InternalError(message)))
        return
    body = head.body()
    http.ResponseOutparam.set(out, Ok(head))
    # Whatever goes wrong from here on the host notices by the body's missing end, and says so.
    write(body, response.body)


def _read(incoming: Any) -> Request:
    method = incoming.method()
    name = getattr(method, "value", None) or type(method).__name__.removeprefix("Method_").upper()
    with incoming.headers() as fields:
        headers = [(field, value.decode(errors="replace")) for field, value in fields.entries()]
    chunks = []
    with incoming.consume() as body, body.stream() as stream:
        while True:
            try:
                chunks.append(stream.blocking_read(CHUNK_BYTES))
            except Err as end:
                if isinstance(end.value, streams.StreamError_Closed):
                    return Request(name, incoming.path_with_query() or "/", headers, b"".join(chunks))
                raise handlers.Failure("the body of the request can't be read") from end


def _head(response: Response) -> Any:
    fields = http.Fields()
    for name, value in response.headers:
        try:
            fields.append(name, value.encode())
        except Err:
            raise handlers.Failure(f"the answer can't have the header {name!r} of {value!r}") from None
    head = http.OutgoingResponse(fields)
    head.set_status_code(response.status)
    return head
