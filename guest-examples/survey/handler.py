"""A survey by phone: questions from the settings, answers by key, help for who is not content, results on a page.

Each step of the conversation is a webhook of its own, answered by a fresh instance. Which question is asked is in the link
(`answer/2`), what was answered is in the session: a webhook that comes twice keeps the same answer under the same key. Results go to the store, by call for the same reason.
"""

from html import escape

from hookswitch import Call, Event, config, log, on_call, on_event, on_web, session, store, web
from hookswitch.store import StorageError
from hookswitch.twiml import Dial, Gather, Hangup, Redirect, Response, Say

#: Tries for one question before the survey ends.
TRIES = 2
#: How long results are kept, in seconds.
KEPT_S = 90 * 24 * 3600
#: How many of them the page counts: each costs one of the 1 000 operations on the store that an invocation has.
RESULTS_MAX = 200


@on_call
def answer(call: Call):
    match call.step.split("/"):
        case [""]:
            return ask(call, 0, Say(config.get("greeting")))
        case ["answer", number]:
            return answered(call, int(number))
        case ["silence", tries, number]:
            return silent(call, int(tries), int(number))
        case _:
            raise ValueError(f"there is no step {call.step!r}; which link leads to it?")


@on_event
def notify(event: Event):
    if event.kind == "call":
        log.info(f"call {event.subject} is {event.status}")


@on_web
def page(request: web.Request) -> web.Response:
    """What came of it so far. Anybody may read it, so there is no caller in it."""
    if request.route != ("GET", "/"):
        return web.Response.not_found()
    found = store.keys("result/", limit=RESULTS_MAX)
    results = [float(store.get(key, "0")) for key in found.keys]
    if not results:
        return web.Response.html("<p>Nobody has answered all questions yet.</p>")
    counted = f"{len(results)} answered" if found.next is None else f"The first {len(results)} results by call id"
    summary = f"{counted}, {sum(results) / len(results):.2f} of 5 on average."
    questions = "".join(f"<li>{escape(question)}</li>" for question in config.json("questions"))
    return web.Response.html(f"<p>{summary}</p><ol>{questions}</ol>")


def ask(call: Call, number: int, *first, tries: int = 1):
    """A question, or the end where all are answered."""
    questions = config.json("questions")
    if number >= len(questions):
        return done(call, len(questions))
    return Response(
        first,
        Gather(Say(questions[number]), action=f"answer/{number}", numDigits=1, timeout=8),
        Redirect(f"silence/{tries}/{number}"),
    )


def answered(call: Call, number: int):
    if call.digits not in ("1", "2", "3", "4", "5"):
        return ask(call, number, Say("Please press a key from 1 to 5."))
    session.set(f"answer/{number}", call.digits)
    return ask(call, number + 1)


def silent(call: Call, tries: int, number: int):
    if tries < TRIES:
        return ask(call, number, Say("Are you still there?"), tries=tries + 1)
    log.warn(f"the survey was left after {len(session.keys('answer/'))} answers")
    return Response(Say("Goodbye."), Hangup())


def done(call: Call, questions: int):
    answers = [session.get(f"answer/{number}", "0") for number in range(questions)]
    average = sum(map(int, answers)) / questions
    try:
        store.set(f"result/{call.id}", f"{average:.2f}", ttl_s=KEPT_S)
    except StorageError as error:
        # The caller is not to notice that the store is full or away.
        log.error(f"the result is not kept: {error}")
    log.info(f"survey: {', '.join(answers)}, average {average:.2f}")
    if average < config.number("help_below", 0):
        return Response(Say("We are sorry to hear that. Somebody who can help is being called."), Dial(config.get("help")))
    return Response(Say("Thank you for your time. Goodbye."), Hangup())
