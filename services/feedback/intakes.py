"""Intakes (扫码反映): secret addresses at which anybody says something to a station, and can do nothing else.

Of the secret only its SHA-256 is kept. It is 32 random bytes, so that nothing slower is needed against guessing.
"""

import hashlib
import secrets
from datetime import UTC, datetime
from typing import Any

import grpc
from sqlalchemy import bindparam, insert, null, select, text, update

from chassis import clock
from chassis.database import Database, Row, WriteTx
from chassis.errors import Refusal
from chassis.idempotency import Replayed
from chassis.pagination import page
from chassis.rulebooks import rulebook
from chassis.rules import WholeNumberRule
from chassis.sql import Sql
from chassis.vault import Vault
from chassis.wire import check_etag, etag, identifier, timestamp
from quanyutong.feedback.v1 import intakes_pb2 as pb
from services.feedback import receipts
from services.feedback.domain import Refused
from services.feedback.handling_steps import load_opinion, opinion_name
from services.feedback.opinions import enter, said
from services.feedback.places import Places
from services.feedback.roster import load_station
from services.feedback.tables import intake

Context = grpc.aio.ServicerContext[Any, Any]
BY_SECRET = Sql(select(intake).where(intake.c.secret_hash == bindparam("hash")))
LOCK = Sql(select(intake).where(intake.c.id == bindparam("key")).with_for_update())
ENTER = Sql(insert(intake).returning(intake), columns=("station", "unit", "secret_hash"))
SAVE = Sql(
    update(intake).where(intake.c.id == bindparam("key")).returning(intake),
    columns=("secret_hash", "revoked_at", "revision"),
)
# Those that come at the same moment, to several processes, are counted one after the other.
COUNTING = Sql(text("SELECT pg_advisory_xact_lock(hashtextextended('intake ' || CAST(:key AS text), 3))"))
COUNT = Sql(
    text("""SELECT count(*) AS taken, count(*) FILTER (WHERE content = :content) AS same
            FROM opinion WHERE intake = :key AND created_at > now() - interval '24 hours'""")
)


class Intakes:
    _database: Database
    _vault: Vault
    _places: Places

    async def CreateIntake(self, request: pb.CreateIntakeRequest, _: Context) -> pb.Intake:
        secret = secrets.token_urlsafe(32)
        async with self._database.write() as tx:
            place = await load_station(tx, request.intake.station)
            row = await tx.one(ENTER, station=place.id, unit=place.unit, secret_hash=_hash(secret))
            return _told_once(tx, row, secret)

    async def ListIntakes(self, request: pb.ListIntakesRequest, _: Context) -> pb.ListIntakesResponse:
        statement = select(intake)
        if request.station:
            statement = statement.where(intake.c.station == identifier(request.station))
        if not request.show_revoked:
            statement = statement.where(intake.c.revoked_at == null())
        async with self._database.read() as tx:
            rows, token = await page(tx, request, statement, (intake.c.id, identifier))
        return pb.ListIntakesResponse(intakes=map(_message, rows), next_page_token=token)

    async def RevokeIntake(self, request: pb.RevokeIntakeRequest, _: Context) -> pb.Intake:
        async with self._database.write() as tx:
            row = await _load_open(tx, request)
            gone = {"secret_hash": None, "revoked_at": datetime.now(UTC), "revision": row.revision + 1}
            return tx.reply(_message(await tx.one(SAVE, key=row.id, **gone)))

    async def RotateIntake(self, request: pb.RotateIntakeRequest, _: Context) -> pb.Intake:
        secret = secrets.token_urlsafe(32)
        async with self._database.write() as tx:
            row = await _load_open(tx, request)
            other = {"secret_hash": _hash(secret), "revoked_at": None, "revision": row.revision + 1}
            return _told_once(tx, await tx.one(SAVE, key=row.id, **other), secret)

    async def SubmitOpinion(self, request: pb.SubmitOpinionRequest, _: Context) -> pb.SubmitOpinionResponse:
        try:
            async with self._places.taken(), self._database.write() as tx:
                at = await _opened(tx, request)
                place = {"channel": "intake", "intake": at.id, "station": at.station, "unit": at.unit}
                values = {**said(request), **place, "receive_date": clock.today()}
                row = await enter(tx, self._vault, values, request.contact)
                # Kept as the answer without the code: no table holds it.
                told = tx.reply(_submitted(row))
                told.receipt = receipts.code_of(self._vault, tx.district, row.id)
                return told
        except Replayed as replayed:  # said before: the same answer, which was lost
            told = pb.SubmitOpinionResponse.FromString(replayed.answer)
            async with self._database.read() as again:
                row = await load_opinion(again, told.opinion)
                told.receipt = receipts.code_again(self._vault, again.district, row)
            return told


async def _opened(tx: WriteTx, request: pb.SubmitOpinionRequest) -> Row:
    """The intake that the secret opens, if it takes more.

    Raises Refusal ADDRESS_NOT_FOUND, Refused INTAKE_FULL, INTAKE_REPEATED.
    """
    row = await tx.first(BY_SECRET, hash=_hash(request.secret))
    if row is None:
        raise Refusal("ADDRESS_NOT_FOUND")
    await tx.execute(COUNTING, key=str(row.id))
    book = await rulebook(tx, clock.today())
    most, same = (book.rule(f"stations_and_voice.intake_{each}a_day", WholeNumberRule) for each in ("", "same_"))
    counted = await tx.one(COUNT, key=row.id, content=request.content)
    if counted.taken >= most.value:
        raise Refused("INTAKE_FULL", count=most.value, version=most.version)
    if counted.same >= same.value:
        raise Refused("INTAKE_REPEATED", count=same.value, version=same.version)
    return row


async def _load_open(tx: WriteTx, request: pb.RevokeIntakeRequest | pb.RotateIntakeRequest) -> Row:
    """Raises Refused INTAKE_NOT_FOUND, INTAKE_REVOKED, Refusal ETAG_MISMATCH."""
    row = await tx.first(LOCK, key=identifier(request.name))
    if row is None:
        raise Refused("INTAKE_NOT_FOUND", intake=request.name)
    check_etag(request.etag, row.revision)
    if row.revoked_at:
        raise Refused("INTAKE_REVOKED", intake=request.name)
    return row


def _told_once(tx: WriteTx, row: Row, secret: str) -> pb.Intake:
    """What is kept to answer a repeated request has no address: no table holds the secret."""
    tx.reply(_message(row))
    told = _message(row)
    told.address = f"/v1/intakes/{tx.district}/{secret}:submit"
    return told


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _message(row: Row) -> pb.Intake:
    return pb.Intake(
        name=f"intakes/{row.id}",
        station=f"stations/{row.station}",
        revoke_time=timestamp(row.revoked_at) if row.revoked_at else None,
        create_time=timestamp(row.created_at),
        etag=etag(row.revision),
    )


def _submitted(row: Row) -> pb.SubmitOpinionResponse:
    return pb.SubmitOpinionResponse(opinion=opinion_name(row.id), acknowledge_due_time=timestamp(row.acknowledge_due))
