"""Stands in for the interface ``config``."""

from hookswitch.testing import state


def get(key: str) -> str | None:
    return state.config.get(key)


def all() -> list[tuple[str, str]]:
    return sorted(state.config.items())
