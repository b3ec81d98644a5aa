"""Call handlers in Python: typed webhooks in, TwiML out.

A handler's module, ``handler.py``, marks one function for each kind of webhook that it takes::

    from hookswitch import Call, on_call, twiml

    @on_call
    def answer(call: Call):
        return twiml.Response(twiml.Say("Hello."))

What a handler imports of this package becomes an import of its component; what it does not import is not there. How a
handler becomes a component is ``build.py``'s business.
"""

from hookswitch.handlers import Failure, on_call, on_event, on_message, on_web
from hookswitch.webhook import Call, Event, Message

__all__ = ["Call", "Event", "Failure", "Message", "on_call", "on_event", "on_message", "on_web"]
