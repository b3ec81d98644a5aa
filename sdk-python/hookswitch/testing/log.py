"""Stands in for the interface ``log``."""

from enum import Enum

from hookswitch.testing import state


class Level(Enum):
    DEBUG = 0
    INFO = 1
    WARN = 2
    ERROR = 3


def write(level: Level, message: str) -> None:
    state.logged.append((level.name.lower(), message))
