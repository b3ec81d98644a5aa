"""Stands in for the interface ``store``."""

from types import SimpleNamespace

from hookswitch.testing import state

get = state.store.get
set = state.store.set
delete = state.store.delete
add = state.store.add
swap = state.store.swap


def keys(prefix: str, after: str | None, limit: int) -> SimpleNamespace:
    behind = [key for key in state.store.keys(prefix) if after is None or key > after]
    page = behind[:limit]
    return SimpleNamespace(keys=page, next=page[-1] if len(behind) > limit else None)
