"""Minutes between the database and the wire, and their canonical form, which is what is signed."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from google.protobuf import json_format

from chassis.database import ReadTx, Row
from chassis.sql import Sql
from chassis.wire import etag, identifier, number, timestamp
from quanyutong.meetings.v1 import minutes_pb2 as pb
from services.meetings.domain import Refused
from services.meetings.meetings import meeting_name
from services.meetings.signing import ROLES

# What a clerk writes; facts and outcomes are generated alone.
SECTIONS = ("summary", "resolutions", "remarks")
# Said of the minutes, and not in them.
APART = ("digest", "etag")


async def load_minutes(tx: ReadTx, name: str, how: Sql) -> Row:
    """Raises Refused MINUTES_NOT_FOUND."""
    row = await tx.first(how, meeting=identifier(name.removesuffix("/minutes")))
    if row is None:
        raise Refused("MINUTES_NOT_FOUND", minutes=name)
    return row


def minutes_name(row: Row) -> str:
    return f"{meeting_name(row.meeting)}/minutes"


def record_text(record: pb.MinutesRecord) -> str:
    return _text(json_format.MessageToDict(record))


def record_of(row: Row) -> pb.MinutesRecord:
    return json_format.Parse(row.record, pb.MinutesRecord(), ignore_unknown_fields=True)


def entry_message(row: Row) -> pb.Minutes:
    """Without the record and the sections: an entry of a list."""
    signed = [row[f"{role}_signed_at"] for role in ROLES]
    return pb.Minutes(
        name=minutes_name(row),
        state=number(pb.MinutesState, row.state),
        chair=_signer(row, "chair"),
        secretary=_signer(row, "secretary"),
        edited_sections=row.edited,
        return_reason=row.return_reason,
        generate_time=timestamp(row.generated_at),
        sign_time=timestamp(max(signed)) if all(signed) else None,
        digest=row.digest,
        etag=etag(row.revision),
    )


def minutes_message(row: Row) -> pb.Minutes:
    """Of minutes that are signed what was signed, whatever has become of the record since."""
    if row.document:
        message = json_format.Parse(row.document, pb.Minutes(), ignore_unknown_fields=True)
        message.digest, message.etag = row.digest, etag(row.revision)
        return message
    message = entry_message(row)
    message.record.CopyFrom(record_of(row))
    for section in SECTIONS:
        getattr(message, section).extend(row[section])
    return message


def canonical(message: pb.Minutes) -> str:
    """The minutes as JSON with sorted keys and without spaces; the same minutes are the same text."""
    content = json_format.MessageToDict(message)
    return _text({name: value for name, value in content.items() if name not in APART})


def exported(row: Row) -> str:
    """The text that was signed, or would be, with its digest where there is one."""
    digest = {"digest": row.digest} if row.digest else {}
    return _text(json.loads(row.document or canonical(minutes_message(row))) | digest)


def digest_of(document: str) -> str:
    return hashlib.sha256(document.encode()).hexdigest()


def _text(content: Any) -> str:
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _signer(row: Row, role: str) -> pb.Signer:
    attendee, signed_at = row[f"{role}_attendee"], row[f"{role}_signed_at"]
    return pb.Signer(
        attendee=f"{meeting_name(row.meeting)}/attendees/{attendee}" if attendee else "",
        display_name=row[f"{role}_name"],
        subject=row[f"{role}_subject"],
        sign_time=timestamp(signed_at) if signed_at else None,
    )


def sections_of(given: pb.Minutes, fields: Sequence[str]) -> dict[str, list[str]]:
    """The columns of those of these fields that are sections."""
    return {field: list(getattr(given, field)) for field in fields if field in SECTIONS}
