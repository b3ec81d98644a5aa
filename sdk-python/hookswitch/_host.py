"""Finds an interface of the host: the component's import, or in native tests what stands in for it."""

import re
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import TypeVar

from hookswitch.handlers import Failure

T = TypeVar("T")


def host(name: str) -> ModuleType:
    """The interface ``name`` of ``hookswitch:handler``."""
    try:
        return import_module(f"wit_world.imports.{name}")
    except ModuleNotFoundError as missing:
        if missing.name not in ("wit_world", "wit_world.imports"):
            raise
        return import_module(f"hookswitch.testing.{name}")


def unsigned(what: str, **numbers: object) -> None:
    """Refuses what is no ``u32`` of the contract: componentize-py would end the instance."""
    for name, number in numbers.items():
        if number is not None and not (isinstance(number, int) and 0 <= number < 2**32):
            raise Failure(f"{what}: {name} is {number!r}; expected a whole number from 0 on")


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
