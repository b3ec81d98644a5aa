"""The services that a test's handlers call: answers made beforehand, and what was asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from hookswitch.testing import state

if TYPE_CHECKING:
    from hookswitch.http import Request


def send(request: Request, failed: Callable[[str, str], Exception]) -> tuple[int, list[tuple[str, str]], bytes]:
    state.requests.append(request)
    answer = state.answers.get(request.shown)
    if answer is None:
        raise failed("denied", f"the test has no answer for it: testing.answers({request.shown!r}, 200, '…')")
    if isinstance(answer, str):
        raise failed(answer, f"{answer}, as the test has it")
    status, body = answer
    return status, [], body
