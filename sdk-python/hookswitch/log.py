"""The handler's log: what its author reads beside the call. 64 KiB and 256 entries for each webhook; never fails."""

from hookswitch._host import host

_log = host("log")


def debug(message: str) -> None:
    """What only its author wants to know."""
    _log.write(_log.Level.DEBUG, message)


def info(message: str) -> None:
    """What happened."""
    _log.write(_log.Level.INFO, message)


def warn(message: str) -> None:
    """What is odd, though the call goes on as meant."""
    _log.write(_log.Level.WARN, message)


def error(message: str) -> None:
    """What went wrong."""
    _log.write(_log.Level.ERROR, message)
