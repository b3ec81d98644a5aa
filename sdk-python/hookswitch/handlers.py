"""Between an export of the component and the handler's function.

Whatever a handler raises, or returns instead of a document, becomes a failure with its causes: an exception that left
the component would be a panic of the engine, and the log would name the engine instead of the handler.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hookswitch.webhook import Call, Event, Message

if TYPE_CHECKING:
    from hookswitch.web import Request, Response

#: Causes that are kept: a chain of exceptions may lead back to itself.
CAUSES_MAX = 16

#: Modules that reach for a network, which only the host has.
NETWORK = {"_socket", "_ssl", "aiohttp", "http", "httpx", "requests", "socket", "ssl", "urllib3"}

#: The handler's functions by the interface that they answer: ``voice``, ``messaging``, ``events``, ``web``.
registered: dict[str, Callable[[Any], Any]] = {}


class Failure(Exception):
    """Why a handler can't answer, for its log. The caller hears the fallback document."""


def on_call(function: Callable[[Call], object]) -> Callable[[Call], object]:
    """Makes a function answer calls: what it returns is what the caller hears next."""
    return _register("voice", function)


def on_message(function: Callable[[Message], object]) -> Callable[[Message], object]:
    """Makes a function answer messages."""
    return _register("messaging", function)


def on_event(function: Callable[[Event], None]) -> Callable[[Event], None]:
    """Makes a function hear status callbacks and runs of schedules. The carrier gets 204 whatever happens; an error goes to the log."""
    return _register("events", function)


def _register(interface: str, function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    if not callable(function):
        raise TypeError(f"a function is expected, not {function!r}: write @on_call without parentheses")
    if interface in registered:
        raise TypeError(f"{interface} is answered by {registered[interface].__name__} already; take one of the two out")
    registered[interface] = function
    return function


def on_web(function: Callable[[Request], Response]) -> Callable[[Request], Response]:
    """Makes a function answer web requests, of anybody: what it returns is a ``Response`` of ``hookswitch.web``."""
    return _register("web", function)


def document(interface: str, fields: object) -> str:
    """Runs the function of ``voice`` or ``messaging`` for one webhook."""
    kind = Call if interface == "voice" else Message
    returned = registered[interface](kind(fields))
    if isinstance(returned, str):
        return sayable(returned)
    # The official builders and `twiml` print themselves as XML; most other objects would print something else.
    text = str(returned)
    if not text.startswith("<") or text.startswith(f"<{type(returned).__module__}.") or " object at 0x" in text:
        hint = "; is a return missing?" if returned is None else ""
        raise Failure(f"the handler returned {returned!r}; expected Response(…) of twiml, a builder of the twilio package, or text{hint}")
    return sayable(text)


def notify(fields: object) -> None:
    """Runs the function of ``events`` for one status callback."""
    registered["events"](Event(fields))


def respond(request: Request) -> Response:
    """Runs the function of ``web`` for one web request."""
    # Here, because most handlers are without it.
    from hookswitch.web import Response

    returned = registered["web"](request)
    if not isinstance(returned, Response):
        hint = "; is a return missing?" if returned is None else ""
        raise Failure(f"the handler returned {returned!r} to a web request; expected a Response of hookswitch.web{hint}")
    return returned


def failure_of(error: BaseException) -> tuple[str, list[str]]:
    """Message and causes of an exception, outermost first, and the line of the handler that raised it."""
    chain = [error]
    while (cause := _cause(chain[-1])) and len(chain) <= CAUSES_MAX:
        chain.append(cause)
    message, *causes = [_line(error) for error in chain]
    if not isinstance(error, Failure) and (frames := traceback.extract_tb(error.__traceback__)):
        innermost = next((frame for frame in reversed(frames) if _authored(frame.filename)), frames[-1])
        causes.append(f"at {innermost.name} ({innermost.filename.rpartition('/')[2]}:{innermost.lineno})")
    return sayable(message), [sayable(cause) for cause in causes]


def sayable(text: str) -> str:
    """As UTF-8 can say it: half of a character (a surrogate by itself), which Python's texts can have, is a question mark."""
    return text if text.isascii() else text.encode(errors="replace").decode()


def _authored(filename: str) -> bool:
    """Whether a file is the handler's own: beneath the folder of ``handler.py``, and not this helper's."""
    handler = getattr(sys.modules.get("handler"), "__file__", None) or ""
    return filename.startswith(_folder(handler)) and not filename.startswith(_folder(__file__))


def _folder(filename: str) -> str:
    return filename.rpartition("/")[0] + "/"


def _cause(error: BaseException) -> BaseException | None:
    # What `raise … from None` hides stays hidden.
    return error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _line(error: BaseException) -> str:
    text = str(error)
    if isinstance(error, Failure):
        return text
    if isinstance(error, ModuleNotFoundError):
        unreachable = error.name in ("urllib.request", "http.client") or (error.name or "").partition(".")[0] in NETWORK
        text += "; use hookswitch.http" if unreachable else "; import it at the top of the file"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
