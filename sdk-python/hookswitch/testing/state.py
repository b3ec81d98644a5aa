"""What the stand-in host holds for one test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hookswitch.testing.table import Table

if TYPE_CHECKING:
    from hookswitch.http import Request

config: dict[str, str] = {}
secrets: dict[str, str] = {}
logged: list[tuple[str, str]] = []
session = Table("a session", 256, 64 * 1024)
store = Table("a store", 100_000, 64 * 1024 * 1024)
#: What the carrier was asked for, and the kind and the words with which it refuses everything.
outward: list[dict[str, Any]] = []
refusal: tuple[str, object] | None = None
#: By method and URL without parameters: status and body, or the kind of a failure.
answers: dict[str, tuple[int, bytes] | str] = {}
requests: list[Request] = []
