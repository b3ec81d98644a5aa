"""What a handler remembers of one conversation: a call with its status callbacks, or the messages between two numbers.

Nothing here waits. Changes are kept together when the handler has succeeded, and not at all where it fails. A call's
session ends an hour after the call, a conversation's after four hours of silence. At most 256 keys and 64 KiB.
"""

from __future__ import annotations

from hookswitch._host import host, needed
from hookswitch._storage import Storage, StorageError

__all__ = ["StorageError", "add", "bytes", "delete", "get", "json", "keys", "set", "swap"]

_session = host("session")
_storage = Storage("session", _session)

get = _storage.get
bytes = _storage.get_bytes
json = _storage.get_json
set = _storage.set
delete = _storage.delete
add = _storage.add
swap = _storage.swap


def keys(prefix: str = "") -> list[str]:
    """The keys that begin with ``prefix``, sorted."""
    needed("session", prefix=prefix)
    return _storage.ask(lambda: _session.keys(prefix))
