"""The settings of this revision: the ``[config]`` table of ``handler.toml``. They change without new code."""

from __future__ import annotations

import json as _json

from hookswitch._host import host, needed
from hookswitch.handlers import Failure

_config = host("config")
_MISSING: object = object()


def get(key: str, otherwise: str = _MISSING) -> str:  # type: ignore[assignment]
    """The value of ``key`` as text; a Failure where there is no such key, unless ``otherwise`` is given."""
    needed("config", key=key)
    value = _config.get(key)
    if value is not None:
        return value
    if otherwise is _MISSING:
        raise Failure(f"config: there is no {key}; add it to [config] in handler.toml")
    return otherwise


def number(key: str, otherwise: float = _MISSING) -> float:  # type: ignore[assignment]
    """As ``get``, for a number; an ``int`` where it is a whole one."""
    value = get(key, otherwise)  # type: ignore[arg-type]
    if not isinstance(value, str):
        return value
    for kind in (int, float):
        try:
            return kind(value)
        except ValueError:
            continue
    raise Failure(f"config: {key} is {value!r}; expected a number")


def boolean(key: str, otherwise: bool = _MISSING) -> bool:  # type: ignore[assignment]
    """As ``get``, for ``true`` or ``false``."""
    value = get(key, otherwise)  # type: ignore[arg-type]
    if isinstance(value, bool):
        return value
    if value not in ("true", "false"):
        raise Failure(f"config: {key} is {value!r}; expected true or false")
    return value == "true"


def json(key: str, otherwise: object = _MISSING) -> object:
    """As ``get``, for a table or an array, which the contract writes as JSON."""
    value = get(key, otherwise)  # type: ignore[arg-type]
    if not isinstance(value, str):
        return value
    try:
        return _json.loads(value)
    except ValueError as cause:
        raise Failure(f"config: {key} is {value!r}; expected a table or an array") from cause


def all() -> dict[str, str]:
    """All keys with their values."""
    return dict(_config.all())
