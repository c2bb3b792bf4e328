"""The columns that tables of all services have, each spelled once."""

from sqlalchemy import BigInteger, Column, DateTime, Integer, Text, Uuid
from sqlalchemy import text as expression


def district() -> Column[object]:
    """Filled by the database from the transaction's tenant: no statement names a district to write to."""
    return Column("district", Text, nullable=False, server_default=expression("current_setting('app.district')"))


def id_() -> Column[object]:
    return Column("id", Uuid, nullable=False, server_default=expression("uuidv7()"))


def created(name: str = "created_at") -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=False, server_default=expression("now()"))


def revision() -> Column[object]:
    return Column("revision", BigInteger, nullable=False, server_default=expression("1"))


def text(name: str) -> Column[object]:
    """Empty where nothing is said."""
    return Column(name, Text, nullable=False, server_default=expression("''"))


def instant(name: str) -> Column[object]:
    return Column(name, DateTime(timezone=True))


def count(name: str, kind: type[Integer] = Integer) -> Column[int]:
    return Column(name, kind, nullable=False, server_default=expression("0"))
