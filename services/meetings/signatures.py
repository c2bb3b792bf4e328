"""The signatures under minutes: of the chair and of the secretary. With the second one they are final."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import grpc
from sqlalchemy import bindparam, select, update

from chassis import auth, clock
from chassis.database import Database, ReadTx, Row, WriteTx
from chassis.merges import kept_person
from chassis.sql import Sql
from chassis.wire import check_etag, date_message, identifier, word
from quanyutong.meetings.v1 import events_pb2
from quanyutong.meetings.v1 import minutes_pb2 as pb
from quanyutong.options.v1 import options_pb2
from services.meetings import signing
from services.meetings.domain import Refused
from services.meetings.meetings import meeting_name
from services.meetings.minutes_rows import canonical, digest_of, load_minutes, minutes_message
from services.meetings.signing import Caller, Signer
from services.meetings.tables import minutes, roll

Context = grpc.aio.ServicerContext[Any, Any]
OF_MEETING = select(minutes).where(minutes.c.meeting == bindparam("meeting"))
READ, LOCK = Sql(OF_MEETING), Sql(OF_MEETING.with_for_update())
ON_ROLL = select(roll).where(roll.c.meeting == bindparam("meeting"))
BY_MANDATE = Sql(ON_ROLL.where(roll.c.mandate == bindparam("key")))
BY_ID = Sql(ON_ROLL.where(roll.c.id == bindparam("key")))
BY_PERSON = Sql(ON_ROLL.where(roll.c.person == bindparam("key")).limit(1))
STAFF = frozenset({options_pb2.ROLE_CLERK, options_pb2.ROLE_EXAMINER, options_pb2.ROLE_ADMINISTRATOR})


class Signatures:
    _database: Database

    async def SignMinutes(self, request: pb.SignMinutesRequest, _: Context) -> pb.Minutes:
        role = word(pb.SignerRole, request.role)
        other = next(each for each in signing.ROLES if each != role)
        async with self._database.write() as tx:
            row = await load_minutes(tx, request.name, LOCK)
            check_etag(request.etag, row.revision)
            signing.check_state(row.state, "draft", "signing")
            caller = await _caller(tx)
            signing.check_may_sign(role, caller, await _seat(tx, row.meeting, row[f"{role}_attendee"]))
            signing.check_unsigned(role, row[f"{role}_subject"], row[f"{other}_subject"], caller.subject)
            saved = await _sign(tx, row, role, caller.subject)
            return tx.reply(minutes_message(saved))

    async def ReturnMinutes(self, request: pb.ReturnMinutesRequest, _: Context) -> pb.Minutes:
        async with self._database.write() as tx:
            row = await load_minutes(tx, request.name, LOCK)
            check_etag(request.etag, row.revision)
            signing.check_state(row.state, "signing")
            role = next(each for each in signing.ROLES if row[f"{each}_subject"])
            signing.check_may_return(await _caller(tx), row[f"{role}_subject"], role)
            withdrawn = {f"{role}_subject": "", f"{role}_signed_at": None}
            saved = await save_minutes(tx, row, state="draft", return_reason=request.reason, **withdrawn)
            return tx.reply(minutes_message(saved))


async def _sign(tx: WriteTx, row: Row, role: str, subject: str) -> Row:
    """The second signature makes the minutes final, and tells of it: the digest is of both signatures, too."""
    now = datetime.now(UTC)
    signature = {f"{role}_subject": subject, f"{role}_signed_at": now}
    if row.state == "draft":
        return await save_minutes(tx, row, state="signing", **signature)
    document = canonical(_final(row, role, subject, now))
    digest, name = digest_of(document), meeting_name(row.meeting)
    tx.publish(events_pb2.MinutesSigned(meeting=name, digest=digest, day=date_message(clock.today())), name)
    return await save_minutes(tx, row, state="signed", **signature, document=document, digest=digest)


def _final(row: Row, role: str, subject: str, moment: datetime) -> pb.Minutes:
    """The minutes as they are with the last signature."""
    message = minutes_message(row)
    signer = getattr(message, role)
    signer.subject = subject
    signer.sign_time.FromDatetime(moment)
    message.sign_time.FromDatetime(moment)
    message.state = pb.MINUTES_STATE_SIGNED
    return message


async def save_minutes(tx: WriteTx, row: Row, **changes: Any) -> Row:
    statement = update(minutes).where(minutes.c.meeting == row.meeting)
    return await tx.one(statement.values(**changes, revision=row.revision + 1).returning(minutes))


async def signers_of(tx: ReadTx, meeting: UUID, given: Mapping[str, pb.Signer]) -> dict[str, Signer]:
    """Chair and secretary, by role. Raises Refused ATTENDEE_NOT_FOUND, SIGNERS_REFUSED."""
    signers = {role: await _signer(tx, meeting, given[role]) for role in signing.ROLES}
    signing.check_signers(**signers)
    return signers


def signer_columns(signers: Mapping[str, Signer]) -> dict[str, Any]:
    return {
        column: value
        for role, signer in signers.items()
        for column, value in ((f"{role}_attendee", signer.attendee), (f"{role}_name", signer.name))
    }


async def check_reader(tx: ReadTx, meeting: UUID) -> None:
    """Who is of the staff reads all minutes, a delegate those of own meetings. Raises Refused READER_REFUSED."""
    if not STAFF.isdisjoint(auth.caller.get().roles):
        return
    person = (await _caller(tx)).person
    if person is None or await tx.first(BY_PERSON, meeting=meeting, key=person) is None:
        raise Refused("READER_REFUSED")


async def _signer(tx: ReadTx, meeting: UUID, given: pb.Signer) -> Signer:
    if not given.attendee:
        return Signer(given.display_name)
    by_mandate = given.attendee.startswith("mandates/")
    of_meeting = by_mandate or given.attendee.startswith(f"{meeting_name(meeting)}/")
    sql = BY_MANDATE if by_mandate else BY_ID
    row = await tx.first(sql, meeting=meeting, key=identifier(given.attendee)) if of_meeting else None
    if row is None:
        raise Refused("ATTENDEE_NOT_FOUND", attendee=given.attendee, meeting=meeting_name(meeting))
    return Signer(row.display_name or given.display_name, row.id, row.person)


async def _seat(tx: ReadTx, meeting: UUID, attendee: UUID | None) -> UUID | None:
    """The person who has the seat; none of an observer, nor of somebody who is not on the roll."""
    row = await tx.first(BY_ID, meeting=meeting, key=attendee) if attendee else None
    return row.person if row else None


async def _caller(tx: ReadTx) -> Caller:
    """Where two entries of a person were merged, the one that was kept."""
    caller = auth.caller.get()
    clerk = options_pb2.ROLE_CLERK in caller.roles
    try:
        key = identifier(caller.subject) if caller.subject.startswith("persons/") else None
    except ValueError:
        key = None  # a subject that only begins like a person's is nobody's
    return Caller(caller.subject, await kept_person(tx, key) if key else None, clerk)
