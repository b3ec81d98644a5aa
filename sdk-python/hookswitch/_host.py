"""Finds an interface of the host: the component's import, or in native tests what stands in for it."""

import re
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import TypeVar

from hookswitch.handlers import Failure, sayable

T = TypeVar("T")


def host(name: str) -> ModuleType:
    """The interface ``name`` of ``hookswitch:handler``."""
    try:
        return import_module(f"wit_world.imports.{name}")
    except ModuleNotFoundError as missing:
        if missing.name not in ("wit_world", "wit_world.imports"):
            raise
        return import_module(f"hookswitch.testing.{name}")


# What is of another type than the contract's ends the instance in componentize-py, and names its runtime: what goes to the
# host is looked at here before, natively, too. `unsigned` and `text` take None for what was left out, the others do not.


def unsigned(what: str, /, **numbers: object) -> None:
    """Refuses what is no ``u32`` of the contract."""
    whole(what, 0, 2**32 - 1, **{name: number for name, number in numbers.items() if number is not None})


def whole(what: str, least: int, most: int, /, **numbers: object) -> None:
    """Refuses what is no whole number between these two."""
    for name, number in numbers.items():
        if not isinstance(number, int) or not least <= number <= most:
            raise Failure(f"{what}: {name} is {number!r}; expected a whole number from {least} to {most}")


def needed(what: str, /, **texts: object) -> None:
    """Refuses what is no text, None included."""
    for name, value in texts.items():
        if value is None:
            raise Failure(f"{what}: {name} is None; expected text")
    text(what, **texts)


def text(what: str, /, **texts: object) -> None:
    """Refuses what is no text."""
    for name, value in texts.items():
        if value is not None and not isinstance(value, str):
            raise Failure(f"{what}: {name} is {value!r}; expected text")
        if value is not None and sayable(value) != value:
            raise Failure(f"{what}: {name} is {value!r}; it has half of a character, which is no text")


def flag(what: str, /, **flags: object) -> None:
    """Refuses what is neither True nor False."""
    for name, value in flags.items():
        if not isinstance(value, bool):
            raise Failure(f"{what}: {name} is {value!r}; expected True or False")


def answered(ask: Callable[[], T], failure: Callable[[str, object], Exception]) -> T:
    """What ``ask`` returns; an error of the host's becomes what ``failure`` makes of its name and its value."""
    try:
        return ask()
    except Exception as error:
        # The contract's errors come as an exception with a `value`, of a class such as StorageError_TooLarge.
        variant = getattr(error, "value", None)
        _, underscore, case = type(variant).__name__.partition("_")
        if not underscore:
            raise
        kind = re.sub("(?<=.)(?=[A-Z])", "-", case).lower()
        raise failure(kind, getattr(variant, "value", None)) from None
