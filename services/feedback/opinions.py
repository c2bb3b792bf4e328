"""Opinions (群众意见): entered by whoever heard them, read and listed."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import grpc
from sqlalchemy import Select, insert, select, text

from chassis import clock
from chassis.database import Database, Row, WriteTx
from chassis.idempotency import Replayed
from chassis.pagination import page
from chassis.rulebooks import rulebook
from chassis.rules import DurationRule
from chassis.sql import Sql
from chassis.vault import Vault
from chassis.wire import date_message, identifier, number, read_date, word
from quanyutong.feedback.v1 import events_pb2
from quanyutong.feedback.v1 import opinions_pb2 as pb
from services.feedback import handling_path as path
from services.feedback import receipts
from services.feedback.attachments import kept
from services.feedback.contacts import seal
from services.feedback.handling_steps import load_opinion, opinion_name, tell
from services.feedback.likeness import letters_of
from services.feedback.merging import enter_letters
from services.feedback.opinion_message import due, late, opinion_message, opinion_messages
from services.feedback.periods import within
from services.feedback.persons import acting_by
from services.feedback.receptions import load_reception
from services.feedback.roster import load_station
from services.feedback.tables import opinion, opinion_undertaker

Context = grpc.aio.ServicerContext[Any, Any]
NEW_ID = Sql(text("SELECT uuidv7() AS id"))
SAID = ("channel", "category", "content", "unit", "place", "receive_date", "attachments")
FROM = ("station", "mandate", "reception", "intake")
COLUMNS = ("id", *SAID, *FROM, "contact", "receipt_hash", "letters", "acknowledge_due", "rule_versions")
ENTER = Sql(insert(opinion).returning(opinion), columns=COLUMNS)
FILTERS = {"state": pb.OpinionState, "category": pb.OpinionCategory, "channel": pb.OpinionChannel}


class Opinions:
    _database: Database
    _vault: Vault

    async def CreateOpinion(self, request: pb.CreateOpinionRequest, _: Context) -> pb.Opinion:
        given = request.opinion
        day = read_date(given, "receive_date", "opinion.receive_date") or clock.today()
        path.check_day(day, clock.today())
        try:
            async with self._database.write() as tx:
                origin = await _origin(tx, given)
                row = await enter(tx, self._vault, {**said(given), "receive_date": day, **origin}, given.contact)
                # Kept as the answer without the code: no table holds it.
                told = tx.reply(await opinion_message(tx, row))
                told.receipt = receipts.code_of(self._vault, tx.district, row.id)
                return told
        except Replayed as replayed:  # entered before: the same answer, which was lost
            told = pb.Opinion.FromString(replayed.answer)
            async with self._database.read() as again:
                told.receipt = receipts.code_again(self._vault, again.district, await load_opinion(again, told.name))
            return told

    async def GetOpinion(self, request: pb.GetOpinionRequest, _: Context) -> pb.Opinion:
        async with self._database.read() as tx:
            return await opinion_message(tx, await load_opinion(tx, request.name))

    async def ListOpinions(self, request: pb.ListOpinionsRequest, _: Context) -> pb.ListOpinionsResponse:
        async with self._database.read() as tx:
            rows, token = await page(tx, request, _asked(request), (opinion.c.id, identifier))
            return pb.ListOpinionsResponse(opinions=await opinion_messages(tx, rows), next_page_token=token)


def said(given: Any) -> dict[str, Any]:
    """What was said, of an opinion or of what comes in at a secret address."""
    return {
        "category": word(pb.OpinionCategory, given.category),
        "content": given.content,
        "place": given.place,
    }


async def enter(tx: WriteTx, vault: Vault, values: dict[str, Any], contact: pb.Contact) -> Row:
    """The opinion's row, its first step, and what others are told of it."""
    key: UUID = (await tx.one(NEW_ID)).id
    letters = letters_of(f"{values['content']} {values['place']}")
    rule = (await rulebook(tx, clock.today())).rule("stations_and_voice.opinion_acknowledged", DurationRule)
    row = await tx.one(
        ENTER,
        **dict.fromkeys(FROM) | {"attachments": "[]"} | values,
        id=key,
        contact=seal(vault, tx.district, key, contact),
        receipt_hash=receipts.hash_of(receipts.code_of(vault, tx.district, key)),
        letters=len(letters),
        acknowledge_due=datetime.now(UTC) + timedelta(hours=rule.value.length),
        rule_versions=[rule.version],
    )
    await enter_letters(tx, key, letters)
    await tell(tx, row, "receive")
    tx.publish(_received(row), opinion_name(key))
    return row


async def _origin(tx: WriteTx, given: pb.Opinion) -> dict[str, Any]:
    """By which channel it came, at which station and by whom. Raises Refused."""
    channel = word(pb.OpinionChannel, given.channel)
    path.check_channel(channel, placed=bool(given.station or given.reception), raised=bool(given.mandate))
    mandate = await acting_by(tx, given.mandate)
    unit = given.unit.removeprefix("units/")
    path.check_unit(unit, tx.district)
    place = await _place(tx, given)
    place["unit"] = unit or place["unit"]
    return {"channel": channel, "mandate": mandate, "attachments": kept(given.attachments), **place}


async def _place(tx: WriteTx, given: pb.Opinion) -> dict[str, Any]:
    """At which reception or station, and of which unit that is."""
    if given.reception:
        of = await load_reception(tx, given.reception)
        return {"reception": of.id, "station": of.station, "unit": of.unit}
    if given.station:
        at = await load_station(tx, given.station)
        return {"station": at.id, "unit": at.unit}
    return {"unit": ""}


def _asked(request: pb.ListOpinionsRequest) -> Select[Any]:
    """The opinions that the filters leave."""
    statement = select(opinion).where(*within(request, opinion.c.receive_date))
    for field, kind in FILTERS.items():
        if given := getattr(request, field):
            statement = statement.where(opinion.c[field] == word(kind, given))
    for field in ("station", "mandate", "reception", "merged_into"):
        if given := getattr(request, field):
            statement = statement.where(opinion.c[field] == identifier(given))
    if request.unit:
        statement = statement.where(opinion.c.unit == request.unit.removeprefix("units/"))
    if request.undertaker:
        named = opinion_undertaker.c.display_name == request.undertaker
        of = select(opinion_undertaker.c.opinion).where(opinion_undertaker.c.opinion == opinion.c.id, named)
        statement = statement.where(of.exists())
    if day := read_date(request, "due_by"):
        statement = statement.where(due(day))
    if request.escalated:
        statement = statement.where(opinion.c.escalated_at.is_not(None))
    return statement.where(late(clock.today())) if request.overdue else statement


def _received(row: Row) -> events_pb2.OpinionReceived:
    return events_pb2.OpinionReceived(
        opinion=opinion_name(row.id),
        channel=number(pb.OpinionChannel, row.channel),
        category=number(pb.OpinionCategory, row.category),
        unit=f"units/{row.unit}" if row.unit else "",
        day=date_message(row.receive_date),
        mandate=f"mandates/{row.mandate}" if row.mandate else "",
    )
