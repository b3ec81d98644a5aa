"""What a handler remembers for as long as it is deployed: one table for all of its calls and messages.

Each function acts at once: what has returned is on the host's disk, and stays though the handler should fail afterwards.
At most 100 000 keys and 64 MiB; a value at most 64 KiB.
"""

from __future__ import annotations

from typing import NamedTuple

from hookswitch._host import host, needed, text, whole
from hookswitch._storage import Storage, StorageError

__all__ = ["Page", "StorageError", "add", "bytes", "delete", "get", "json", "keys", "set", "swap"]

_store = host("store")
_storage = Storage("store", _store)

get = _storage.get
bytes = _storage.get_bytes
json = _storage.get_json
set = _storage.set
delete = _storage.delete
add = _storage.add
swap = _storage.swap


class Page(NamedTuple):
    """Some of the keys."""

    #: Sorted.
    keys: list[str]
    #: Where the following page begins, for ``after``; None where this is the last one.
    next: str | None


def keys(prefix: str = "", after: str | None = None, limit: int = 100) -> Page:
    """The keys that begin with ``prefix``, sorted, at most ``limit`` of them (1 to 1 000), from behind the key ``after``."""
    needed("store", prefix=prefix)
    text("store", after=after)
    whole("store", 1, 1_000, limit=limit)
    page = _storage.ask(lambda: _store.keys(prefix, after, limit))
    return Page(page.keys, page.next)
