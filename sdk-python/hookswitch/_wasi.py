"""What requests in both directions share of ``wasi:http``."""

from __future__ import annotations

from typing import Any

from componentize_py_types import Err

try:
    from wit_world.imports import wasi_http_types as http
except ImportError:
    # Where the contract's own types are not in the world, these have the short name.
    from wit_world.imports import types as http  # type: ignore[no-redef]

__all__ = ["http", "write"]


def write(body: Any, content: bytes) -> None:
    """Writes all of a body, as much at once as the host takes, and finishes it. One that is cut short the other side notices."""
    try:
        with body.write() as stream:
            while content:
                room = stream.check_write()
                if room == 0:
                    with stream.subscribe() as ready:
                        ready.block()
                stream.write(content[:room])
                content = content[room:]
            stream.blocking_flush()
        http.OutgoingBody.finish(body, None)
    except Err:
        return
