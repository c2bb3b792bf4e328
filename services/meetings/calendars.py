"""Calendars (日历订阅): who has which secret address, and the file that is at it.

Of the secret only its SHA-256 is kept. It is 32 random bytes, so that nothing
slower is needed against guessing.
"""

import hashlib
import re
import secrets
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import grpc
from google.api import httpbody_pb2
from sqlalchemy import bindparam, insert, null, select, text, update

from chassis import auth
from chassis.database import Database, ReadTx, Row, WriteTx
from chassis.errors import Refusal
from chassis.merges import kept_person
from chassis.pagination import page
from chassis.sql import Sql
from chassis.wire import check_etag, etag, identifier, timestamp
from quanyutong.meetings.v1 import calendars_pb2 as pb
from services.meetings import policy
from services.meetings.domain import Refused
from services.meetings.feed import events, title
from services.meetings.roster import load_body
from services.meetings.tables import calendar
from services.meetings.vcalendar import MEDIA_TYPE, file_of

Context = grpc.aio.ServicerContext[Any, Any]
COLLECTIONS = {"assembly": "assemblies", "station": "stations", "person": "persons"}
NOBODY = UUID(int=0)
# For each of a delegate's devices some, and an end to making them.
MOST_OF_ONE = 20
BY_ID = select(calendar).where(calendar.c.id == bindparam("key"))
LOCK = Sql(BY_ID.with_for_update())
BY_SECRET = Sql(select(calendar).where(calendar.c.secret_hash == bindparam("hash")))
ENTER = Sql(insert(calendar).returning(calendar), columns=(*COLLECTIONS, "secret_hash"))
SAVE = Sql(
    update(calendar).where(calendar.c.id == bindparam("key")).returning(calendar),
    columns=("secret_hash", "revoked_at", "revision"),
)
HAS_MANDATE = Sql(text("SELECT 1 FROM mandate WHERE person = :person LIMIT 1"))
# Two that are made at the same moment are counted one after the other.
COUNTING = Sql(text("SELECT pg_advisory_xact_lock(hashtextextended(CAST(:subject AS text), 2))"))
COUNT = Sql(
    text("""SELECT count(*) AS open FROM calendar
            WHERE :subject IN (assembly, station, person) AND revoked_at IS NULL""")
)


class Calendars:
    _database: Database

    async def CreateCalendar(self, request: pb.CreateCalendarRequest, _: Context) -> pb.Calendar:
        secret, subject = secrets.token_urlsafe(32), request.calendar.subject
        async with self._database.write() as tx:
            kind, key = await _subject(tx, subject)
            if not await _keeps(tx, key):
                raise Refused("CALENDAR_NOT_YOURS")
            await _check_known(tx, kind, subject, key)
            await _check_room(tx, subject, key)
            row = await tx.one(ENTER, **dict.fromkeys(COLLECTIONS) | {kind: key}, secret_hash=_hash(secret))
            return _told_once(tx, row, secret)

    async def ListCalendars(self, request: pb.ListCalendarsRequest, _: Context) -> pb.ListCalendarsResponse:
        statement = select(calendar)
        if not request.show_revoked:
            statement = statement.where(calendar.c.revoked_at == null())
        async with self._database.read() as tx:
            if request.subject:
                kind, key = await _subject(tx, request.subject)
                statement = statement.where(calendar.c[kind] == key)
            if not policy.keeps_all_calendars(auth.caller.get()):
                # Not "== None", which would be those of no person at all.
                statement = statement.where(calendar.c.person == (await _own_person(tx) or NOBODY))
            rows, token = await page(tx, request, statement, (calendar.c.id, identifier))
        return pb.ListCalendarsResponse(calendars=map(_message, rows), next_page_token=token)

    async def RevokeCalendar(self, request: pb.RevokeCalendarRequest, _: Context) -> pb.Calendar:
        async with self._database.write() as tx:
            row = await _load_open(tx, request)
            gone = {"secret_hash": None, "revoked_at": datetime.now(UTC), "revision": row.revision + 1}
            return tx.reply(_message(await tx.one(SAVE, key=row.id, **gone)))

    async def RotateCalendar(self, request: pb.RotateCalendarRequest, _: Context) -> pb.Calendar:
        secret = secrets.token_urlsafe(32)
        async with self._database.write() as tx:
            row = await _load_open(tx, request)
            other = {"secret_hash": _hash(secret), "revoked_at": None, "revision": row.revision + 1}
            return _told_once(tx, await tx.one(SAVE, key=row.id, **other), secret)

    async def GetCalendarFile(self, request: pb.GetCalendarFileRequest, _: Context) -> httpbody_pb2.HttpBody:
        now = datetime.now(UTC)
        async with self._database.read() as tx:
            row = await tx.first(BY_SECRET, hash=_hash(request.file.removesuffix(".ics")))
            if row is None:
                raise Refusal("ADDRESS_NOT_FOUND")
            data = file_of(await title(tx, row), tx.district, await events(tx, row, now), now)
        return httpbody_pb2.HttpBody(content_type=MEDIA_TYPE, data=data)


async def _subject(tx: ReadTx, name: str) -> tuple[str, UUID]:
    """Of which kind it is, and its id; that of the person kept, where two entries were merged."""
    collection = name.partition("/")[0]
    (kind,) = (kind for kind, known in COLLECTIONS.items() if known == collection)
    return kind, await kept_person(tx, identifier(name))


async def _own_person(tx: ReadTx) -> UUID | None:
    """The person who calls; None for a caller who is none."""
    subject = auth.caller.get().subject
    if not re.fullmatch("persons/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", subject):
        return None
    return (await _subject(tx, subject))[1]


async def _keeps(tx: ReadTx, key: UUID | None) -> bool:
    """Whether the caller may keep the calendars of this subject."""
    return policy.keeps_all_calendars(auth.caller.get()) or (key is not None and key == await _own_person(tx))


async def _check_known(tx: ReadTx, kind: str, subject: str, key: UUID) -> None:
    if kind != "person":
        await load_body(tx, subject)
    elif await tx.first(HAS_MANDATE, person=key) is None:
        raise Refused("PERSON_NOT_FOUND", person=subject)


async def _check_room(tx: WriteTx, subject: str, key: UUID) -> None:
    await tx.execute(COUNTING, subject=str(key))
    if (await tx.one(COUNT, subject=key)).open >= MOST_OF_ONE:
        raise Refused("CALENDARS_FULL", subject=subject, count=MOST_OF_ONE)


async def _load_open(tx: WriteTx, request: pb.RevokeCalendarRequest | pb.RotateCalendarRequest) -> Row:
    """Raises Refused CALENDAR_NOT_FOUND, CALENDAR_REVOKED, Refusal ETAG_MISMATCH."""
    row = await tx.first(LOCK, key=identifier(request.name))
    if row is None or not await _keeps(tx, row.person):
        raise Refused("CALENDAR_NOT_FOUND", calendar=request.name)
    check_etag(request.etag, row.revision)
    if row.revoked_at:
        raise Refused("CALENDAR_REVOKED", calendar=request.name)
    return row


def _told_once(tx: WriteTx, row: Row, secret: str) -> pb.Calendar:
    """What is kept to answer a repeated request has no address: no table holds the secret."""
    tx.reply(_message(row))
    told = _message(row)
    told.address = f"/v1/calendars/{tx.district}/{secret}.ics"
    return told


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _message(row: Row) -> pb.Calendar:
    kind = next(kind for kind in COLLECTIONS if row[kind])
    return pb.Calendar(
        name=f"calendars/{row.id}",
        subject=f"{COLLECTIONS[kind]}/{row[kind]}",
        revoke_time=timestamp(row.revoked_at) if row.revoked_at else None,
        create_time=timestamp(row.created_at),
        etag=etag(row.revision),
    )
