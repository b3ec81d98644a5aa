"""What ``session`` and ``store`` share: values as text, bytes or JSON over the bytes of the contract."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import ModuleType
from typing import TypeVar

from hookswitch._host import answered, needed, text, unsigned
from hookswitch.handlers import Failure

T = TypeVar("T")

#: Of a value. The host says the same, of what it can copy at all.
VALUE_BYTES_MAX = 64 * 1024


class StorageError(Failure):
    """Why a session or a store did not do what was asked.

    ``kind`` is the contract's word: ``invalid``, ``too-large``, ``too-many``, ``not-a-number`` or ``unavailable``.
    """

    def __init__(self, message: str, kind: str) -> None:
        super().__init__(message)
        self.kind = kind


class Storage:
    """The functions over the interface ``host``, which is called ``what`` in errors."""

    def __init__(self, what: str, host: ModuleType) -> None:
        self._what = what
        self._host = host

    def ask(self, act: Callable[[], T]) -> T:
        return answered(act, lambda kind, why: StorageError(f"{self._what}: {why}", kind))

    def get_bytes(self, key: str) -> bytes | None:
        """The value of ``key``; None where it was never set, was deleted, or has expired."""
        needed(self._what, key=key)
        return self.ask(lambda: self._host.get(key))

    def get(self, key: str, otherwise: str | None = None) -> str | None:
        """The value of ``key`` as text; ``otherwise`` where it was never set, was deleted, or has expired."""
        value = self.get_bytes(key)
        if value is None:
            return otherwise
        try:
            return value.decode()
        except UnicodeDecodeError:
            raise Failure(f"{self._what}: {key} is {len(value)} bytes that are no text; read it with {self._what}.bytes") from None

    def get_json(self, key: str, otherwise: object = None) -> object:
        """As ``get``, for a value that is no text: what ``set`` wrote as JSON."""
        written = self.get(key)
        if written is None:
            return otherwise
        try:
            return json.loads(written)
        except ValueError as cause:
            raise Failure(f"{self._what}: {key} is not JSON; read it with {self._what}.get") from cause

    def set(self, key: str, value: object, ttl_s: int | None = None) -> None:
        """Sets ``key``: text and bytes as they are, the rest as JSON. With ``ttl_s`` it is gone after so many seconds."""
        needed(self._what, key=key)
        if value is None:
            raise Failure(f"{self._what}: {key} can't be None; {self._what}.delete removes it")
        unsigned(self._what, ttl_s=ttl_s)
        self.ask(lambda: self._host.set(key, self._written(key, value), ttl_s))

    def delete(self, key: str) -> bool:
        """Removes ``key``; True where it was there."""
        needed(self._what, key=key)
        return self.ask(lambda: self._host.delete(key))

    def add(self, key: str, by: int = 1, ttl_s: int | None = None) -> int:
        """Adds to a number and gives the sum. A key that is not there counts as 0 and gets ``ttl_s``."""
        needed(self._what, key=key)
        unsigned(self._what, ttl_s=ttl_s)
        if isinstance(by, int) and not -(2**63) <= by < 2**63:
            raise StorageError(f"{self._what}: {by} is beyond the numbers of 64 bits", "not-a-number")
        if not isinstance(by, int):
            raise Failure(f"{self._what}: what is added to {key} is {by!r}; expected a whole number")
        return self.ask(lambda: self._host.add(key, by, ttl_s))

    def swap(self, key: str, expected: object, new: object, ttl_s: int | None = None) -> bool:
        """Sets ``key`` to ``new`` (None: removes it) if it is now ``expected`` (None: if it is not there); True if so."""
        needed(self._what, key=key)
        unsigned(self._what, ttl_s=ttl_s)
        return self.ask(lambda: self._host.swap(key, self._written(key, expected), self._written(key, new), ttl_s))

    def _written(self, key: str, value: object) -> bytes | None:
        written = value if value is None or isinstance(value, bytes) else self._encoded(key, value)
        if written is not None and len(written) > VALUE_BYTES_MAX:
            why = f"the value has {len(written)} bytes; use {VALUE_BYTES_MAX} or fewer"
            raise StorageError(f"{self._what}: {why}", "too-large")
        return written

    def _encoded(self, key: str, value: object) -> bytes:
        if isinstance(value, str):
            text(self._what, **{key: value})
            return value.encode()
        try:
            return json.dumps(value).encode()
        except (TypeError, ValueError) as cause:
            raise Failure(f"{self._what}: {key} can't be {value!r}; expected text, bytes or what JSON can say") from cause
