"""The handler's log: what its author reads beside the call. 64 KiB and 256 entries for each webhook; never fails.

What is no text is written as ``str`` has it.
"""

from hookswitch._host import host
from hookswitch.handlers import sayable

_log = host("log")


def debug(message: object) -> None:
    """What only its author wants to know."""
    _log.write(_log.Level.DEBUG, sayable(str(message)))


def info(message: object) -> None:
    """What happened."""
    _log.write(_log.Level.INFO, sayable(str(message)))


def warn(message: object) -> None:
    """What is odd, though the call goes on as meant."""
    _log.write(_log.Level.WARN, sayable(str(message)))


def error(message: object) -> None:
    """What went wrong."""
    _log.write(_log.Level.ERROR, sayable(str(message)))
