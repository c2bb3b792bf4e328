"""How values look on the wire, and in the database: dates, instants, enum words, resource names, etags."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date

from chassis.errors import FieldsInvalid, Refusal


def read_date(message: Message, field: str, path: str = "") -> date | None:
    """The day in a field; None where it is absent. Raises FieldsInvalid for a day that is not in the calendar."""
    if not message.HasField(field):
        return None
    given: Date = getattr(message, field)
    try:
        return date(given.year, given.month, given.day)
    except ValueError as error:
        raise FieldsInvalid([(path or field, f"not a day of the calendar: {error}")]) from None


def date_message(day: date | None) -> Date | None:
    return None if day is None else Date(year=day.year, month=day.month, day=day.day)


def read_time(message: Message, field: str, path: str = "") -> datetime:
    """The instant in a field that is there. Raises FieldsInvalid for one that the database cannot hold."""
    given: Timestamp = getattr(message, field)
    try:
        return given.ToDatetime(UTC)
    except (ValueError, OverflowError) as error:
        raise FieldsInvalid([(path or field, f"not an instant of the calendar: {error}")]) from None


def timestamp(moment: datetime) -> Timestamp:
    message = Timestamp()
    message.FromDatetime(moment)
    return message


def word(enum: Any, number: int) -> str:
    """A value of a generated enum as the database has it: in lower case, without prefix; empty for UNSPECIFIED."""
    return "" if number == 0 else enum.Name(number).removeprefix(_prefix(enum)).lower()


def number(enum: Any, word: str | None) -> Any:
    """The reverse of `word`."""
    return enum.Value(_prefix(enum) + word.upper()) if word else 0


def _prefix(enum: Any) -> str:
    return str(enum.DESCRIPTOR.values[0].name).removesuffix("UNSPECIFIED")


def identifier(name: str) -> UUID:
    """The id in a resource name of the form `collection/<uuid>`; the field rules have checked the form."""
    return UUID(name.rpartition("/")[2])


def name_in_update(resource: Any, field: str) -> str:
    """The name of the resource to change. Raises FieldsInvalid without one, which the field rules of the resource
    cannot demand: it has no name yet when it is created.
    """
    if not resource.name:
        raise FieldsInvalid([(f"{field}.name", "required in an update")])
    return str(resource.name)


def etag(revision: int) -> str:
    return f'"{revision}"'


def check_etag(given: str, revision: int) -> None:
    """Raises Refusal ETAG_MISMATCH when the caller saw another revision; an empty etag asks for nothing. AIP-154."""
    if given and given != etag(revision):
        raise Refusal("ETAG_MISMATCH")
