"""A session or a store in memory, with the host's limits."""

from __future__ import annotations

import json
import re
import time

KEY_BYTES_MAX = 256
VALUE_BYTES_MAX = 64 * 1024


class Refused(Exception):
    """An error of the contract, as componentize-py raises it: ``value`` is a variant such as ``StorageError_Invalid``."""

    def __init__(self, variant: str, told: object) -> None:
        super().__init__(f"{variant}: {told}")
        self.value = type(variant, (), {"value": told})()


class Table:
    def __init__(self, of: str, keys_max: int, bytes_max: int) -> None:
        self._of = of
        self._keys_max = keys_max
        self._bytes_max = bytes_max
        self._entries: dict[str, tuple[bytes, float | None]] = {}

    def clear(self) -> None:
        self._entries.clear()

    def get(self, key: str) -> bytes | None:
        entry = self._live(key)
        return entry and entry[0]

    def set(self, key: str, value: bytes, ttl_s: int | None) -> None:
        if ttl_s is not None and ttl_s < 1:
            why = f"the time to live is {ttl_s}; use 1 second or more, or leave it out for a value that stays"
            raise Refused("StorageError_Invalid", why)
        self._put(key, value, None if ttl_s is None else time.time() + ttl_s)

    def delete(self, key: str) -> bool:
        return self._live(key) is not None and bool(self._entries.pop(key))

    def keys(self, prefix: str) -> list[str]:
        return sorted(key for key in list(self._entries) if key.startswith(prefix) and self._live(key))

    def add(self, key: str, by: int, ttl_s: int | None) -> int:
        entry = self._live(key)
        text = entry[0].decode(errors="replace") if entry else "0"
        if not re.fullmatch(r"[+-]?[0-9]+", text):
            why = f"{json.dumps(key)} is {json.dumps(text)}; `add` needs a whole number of 64 bits as decimal text"
            raise Refused("StorageError_NotANumber", why)
        total = int(text) + by
        if not -(2**63) <= total < 2**63:
            raise Refused("StorageError_NotANumber", f"{text} + {by} at {json.dumps(key)} is beyond the numbers of 64 bits")
        if entry:
            self._put(key, str(total).encode(), entry[1])
        else:
            self.set(key, str(total).encode(), ttl_s)
        return total

    def swap(self, key: str, expected: bytes | None, new: bytes | None, ttl_s: int | None) -> bool:
        if self.get(key) != expected:
            return False
        if new is None:
            self.delete(key)
        else:
            self.set(key, new, ttl_s)
        return True

    def _put(self, key: str, value: bytes, until: float | None) -> None:
        self._live(key)
        if len(value) > VALUE_BYTES_MAX:
            raise Refused("StorageError_TooLarge", f"the value has {len(value)} bytes; use {VALUE_BYTES_MAX} or fewer")
        others = {other: len(other.encode()) + len(held) for other, (held, _) in self._entries.items() if other != key}
        if len(others) >= self._keys_max:
            raise Refused("StorageError_TooMany", f"{self._of} has at most {self._keys_max} keys, and this would be one more")
        size = sum(others.values()) + len(key.encode()) + len(value)
        if size > self._bytes_max:
            raise Refused("StorageError_TooLarge", f"{self._of} has at most {self._bytes_max} bytes, and this would make it {size}")
        self._entries[key] = (bytes(value), until)

    def _live(self, key: str) -> tuple[bytes, float | None] | None:
        """The entry of a key that can be, unless it has expired."""
        size = len(key.encode())
        if not 1 <= size <= KEY_BYTES_MAX:
            raise Refused("StorageError_Invalid", f"the key has {size} bytes; use 1 to {KEY_BYTES_MAX}")
        entry = self._entries.get(key)
        if entry and entry[1] is not None and entry[1] <= time.time():
            del self._entries[key]
            return None
        return entry
