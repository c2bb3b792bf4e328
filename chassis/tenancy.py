"""The district that this task acts for. It comes from a verified token and nowhere else."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_district: ContextVar[str] = ContextVar("district")


class NoTenant(Exception):
    """Code asked for the tenant where none is set: no tenant, no transaction."""


def district() -> str:
    """Six digits of GB/T 2260. Raises NoTenant outside a tenant's call."""
    try:
        return _district.get()
    except LookupError:
        raise NoTenant("no district is set for this task") from None


@contextmanager
def acting_for(code: str) -> Iterator[None]:
    """Everything inside acts for this district."""
    token = _district.set(code)
    try:
        yield
    finally:
        _district.reset(token)
