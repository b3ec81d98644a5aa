"""Stands in for the interface ``secrets``."""

from hookswitch.testing import state
from hookswitch.testing.table import Refused


def get(name: str) -> str:
    if name not in state.secrets:
        raise Refused("Error_NotGranted", f"it is not granted; in a test, testing.secret({name!r}, …)")
    return state.secrets[name]
