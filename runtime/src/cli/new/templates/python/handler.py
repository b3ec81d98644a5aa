"""Each step is a webhook of its own, answered by a fresh instance: where we are in the conversation is in the link."""

from hookswitch import Call, Event, config, log, on_call, on_event
from hookswitch.twiml import Dial, Gather, Hangup, Redirect, Response, Say


@on_call
def answer(call: Call):
    match call.step:
        case "":
            return menu(config.get("greeting"))
        case "menu" if call.digits == "1":
            return Response(Dial(config.get("office")))
        case "menu":
            return menu("Sorry, I did not get that.")
        case "nothing":
            return Response(Say("Goodbye."), Hangup())
        case _:
            raise ValueError(f"there is no step {call.step!r}; which link leads to it?")


@on_event
def notify(event: Event):
    if event.kind == "call":
        log.info(f"call {event.subject} is {event.status}")


def menu(first: str):
    return Response(
        Gather(Say(first), Say("To reach the office, press 1."), action="menu", numDigits=1),
        Redirect("nothing"),
    )
