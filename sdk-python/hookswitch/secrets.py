"""Values that nobody but the handler may see. ``handler.toml`` grants them, the tenant sets them (``hookswitch secret set``)."""

from hookswitch._host import answered, host, needed
from hookswitch.handlers import Failure

_secrets = host("secrets")


def get(name: str) -> str:
    """The value of the secret called ``name``. The host replaces it in the log by its name."""
    needed("secrets", name=name)
    return answered(lambda: _secrets.get(name), lambda _, why: Failure(f"secrets: {name}: {why}"))
