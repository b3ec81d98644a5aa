"""A survey by phone: questions from the settings, answers by key, help for who is not content.

Each step of the conversation is a webhook of its own, answered by a fresh instance. Which question is asked is in the link
(`answer/2`), what was answered is in the session: a webhook that comes twice keeps the same answer under the same key.
"""

from hookswitch import Call, Event, config, log, on_call, on_event, session
from hookswitch.twiml import Dial, Gather, Hangup, Redirect, Response, Say

#: Tries for one question before the survey ends.
TRIES = 2


@on_call
def answer(call: Call):
    match call.step.split("/"):
        case [""]:
            return ask(0, Say(config.get("greeting")))
        case ["answer", number]:
            return answered(call, int(number))
        case ["silence", tries, number]:
            return silent(int(tries), int(number))
        case _:
            raise ValueError(f"there is no step {call.step!r}; which link leads to it?")


@on_event
def notify(event: Event):
    if event.kind == "call":
        log.info(f"call {event.subject} is {event.status}")


def ask(number: int, *first, tries: int = 1):
    """A question, or the end where all are answered."""
    questions = config.json("questions")
    if number >= len(questions):
        return done(len(questions))
    return Response(
        first,
        Gather(Say(questions[number]), action=f"answer/{number}", numDigits=1, timeout=8),
        Redirect(f"silence/{tries}/{number}"),
    )


def answered(call: Call, number: int):
    if call.digits not in ("1", "2", "3", "4", "5"):
        return ask(number, Say("Please press a key from 1 to 5."))
    session.set(f"answer/{number}", call.digits)
    return ask(number + 1)


def silent(tries: int, number: int):
    if tries < TRIES:
        return ask(number, Say("Are you still there?"), tries=tries + 1)
    log.warn(f"the survey was left after {len(session.keys('answer/'))} answers")
    return Response(Say("Goodbye."), Hangup())


def done(questions: int):
    answers = [session.get(f"answer/{number}", "0") for number in range(questions)]
    average = sum(map(int, answers)) / questions
    log.info(f"survey: {', '.join(answers)}, average {average:.2f}")
    if average < config.number("help_below", 0):
        return Response(Say("We are sorry to hear that. Somebody who can help is being called."), Dial(config.get("help")))
    return Response(Say("Thank you for your time. Goodbye."), Hangup())
