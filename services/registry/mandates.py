"""Mandates (代表资格): recommended, vetted, confirmed or rejected, active, ended."""

from datetime import date
from typing import Any

import grpc
from asyncpg import UniqueViolationError
from sqlalchemy import bindparam, func, insert, select, update

from chassis import clock
from chassis.database import Database, ReadTx, Row, WriteTx
from chassis.pagination import page
from chassis.rules import WholeNumberRule
from chassis.sql import Sql
from chassis.wire import check_etag, date_message, etag, identifier, number, read_date, timestamp, word
from quanyutong.registry.v1 import events_pb2
from quanyutong.registry.v1 import mandates_pb2 as pb
from services.registry import domain
from services.registry.assemblies import load_term
from services.registry.persons import load_person
from services.registry.rules import rule_on
from services.registry.tables import mandate

Context = grpc.aio.ServicerContext[Any, Any]
BY_ID = select(mandate).where(mandate.c.id == bindparam("key"))
READ, LOCK = Sql(BY_ID), Sql(BY_ID.with_for_update())
RECOMMEND = Sql(
    insert(mandate).returning(mandate),
    columns=("person", "assembly", "term", "capacity", "recommender", "state"),
)
ACTIVE = Sql(
    select(func.count().label("delegates")).where(
        mandate.c.assembly == bindparam("assembly"), mandate.c.term == bindparam("term"), mandate.c.state == "active"
    )
)
SIZE_MAX = "subdistrict_assembly.size_max"
Verb = pb.VetMandateRequest | pb.ConfirmMandateRequest | pb.RejectMandateRequest | pb.EndMandateRequest


class Mandates:
    _database: Database

    async def RecommendMandate(self, request: pb.RecommendMandateRequest, _: Context) -> pb.Mandate:
        given = request.mandate
        try:
            async with self._database.write() as tx:
                term = await load_term(tx, given.term)
                person = await load_person(tx, given.person)
                values = {
                    "person": person.id,
                    "assembly": term.assembly,
                    "term": term.number,
                    "capacity": word(pb.Capacity, given.capacity),
                    "recommender": given.recommender,
                    "state": "recommended",
                }
                return tx.reply(_message(await tx.one(RECOMMEND, **values)))
        except UniqueViolationError:
            raise domain.Refused("MANDATE_EXISTS") from None

    async def VetMandate(self, request: pb.VetMandateRequest, _: Context) -> pb.Mandate:
        async with self._database.write() as tx:
            row, state = await _load_for(tx, "vet", request)
            return tx.reply(_message(await _save(tx, row, state=state)))

    async def ConfirmMandate(self, request: pb.ConfirmMandateRequest, _: Context) -> pb.Mandate:
        day = read_date(request, "active_from") or clock.today()
        async with self._database.write() as tx:
            row, state = await _load_for(tx, "confirm", request)
            # The term's row is the lock under which its delegates are counted.
            term = await load_term(tx, f"assemblies/{row.assembly}/terms/{row.term}", lock=True)
            domain.check_mandate_date(day, term.start_date, min(term.end_date, clock.today()))
            version = await check_room(tx, term, added=1, day=day)
            saved = await _save(tx, row, state=state, active_from=day, rule_version=version)
            publish_confirmed(tx, saved)
            return tx.reply(_message(saved))

    async def RejectMandate(self, request: pb.RejectMandateRequest, _: Context) -> pb.Mandate:
        async with self._database.write() as tx:
            row, state = await _load_for(tx, "reject", request)
            return tx.reply(_message(await _save(tx, row, state=state, remark=request.reason)))

    async def EndMandate(self, request: pb.EndMandateRequest, _: Context) -> pb.Mandate:
        day = read_date(request, "active_to") or clock.today()
        async with self._database.write() as tx:
            row, state = await _load_for(tx, "end", request)
            domain.check_mandate_date(day, row.active_from, clock.today())
            reason = word(pb.EndReason, request.reason)
            saved = await _save(tx, row, state=state, active_to=day, end_reason=reason, remark=request.remark)
            publish_ended(tx, saved)
            return tx.reply(_message(saved))

    async def GetMandate(self, request: pb.GetMandateRequest, _: Context) -> pb.Mandate:
        async with self._database.read() as tx:
            return _message(await _load(tx, request.name))

    async def ListMandates(self, request: pb.ListMandatesRequest, _: Context) -> pb.ListMandatesResponse:
        statement = select(mandate)
        if request.assembly:
            statement = statement.where(mandate.c.assembly == identifier(request.assembly))
        if request.person:
            statement = statement.where(mandate.c.person == identifier(request.person))
        if request.states:
            statement = statement.where(mandate.c.state.in_(word(pb.MandateState, s) for s in request.states))
        if request.capacities:
            statement = statement.where(mandate.c.capacity.in_(word(pb.Capacity, c) for c in request.capacities))
        async with self._database.read() as tx:
            rows, token = await page(tx, request, statement, (mandate.c.id, identifier))
        return pb.ListMandatesResponse(mandates=map(_message, rows), next_page_token=token)


async def check_room(tx: ReadTx, term: Row, added: int, day: date) -> str:
    """The version of the rule that it was judged by; empty where no rule limits the size. Raises Refused."""
    if term.kind != "subdistrict_assembly":
        return ""
    rule = await rule_on(tx, day, SIZE_MAX, WholeNumberRule)
    present = (await tx.one(ACTIVE, assembly=term.assembly, term=term.number)).delegates
    domain.check_room(present, added, domain.Limit(rule.value, rule.version))
    return rule.version


def publish_confirmed(tx: WriteTx, row: Row) -> None:
    confirmed = events_pb2.MandateConfirmed(
        mandate=f"mandates/{row.id}",
        person=f"persons/{row.person}",
        term=_term(row),
        capacity=number(pb.Capacity, row.capacity),
        active_from=date_message(row.active_from),
    )
    tx.publish(confirmed, confirmed.mandate)


def publish_ended(tx: WriteTx, row: Row) -> None:
    ended = events_pb2.MandateEnded(
        mandate=f"mandates/{row.id}",
        person=f"persons/{row.person}",
        term=_term(row),
        active_to=date_message(row.active_to),
        reason=number(pb.EndReason, row.end_reason),
    )
    tx.publish(ended, ended.mandate)


async def _load(tx: ReadTx, name: str, lock: bool = False) -> Row:
    row = await tx.first(LOCK if lock else READ, key=identifier(name))
    if row is None:
        raise domain.Refused("MANDATE_NOT_FOUND", mandate=name)
    return row


async def _load_for(tx: WriteTx, verb: str, request: Verb) -> tuple[Row, str]:
    """The mandate, locked, and the state that the verb leads to."""
    row = await _load(tx, request.name, lock=True)
    check_etag(request.etag, row.revision)
    return row, domain.next_state(verb, row.state)


async def _save(tx: WriteTx, row: Row, **changes: Any) -> Row:
    statement = update(mandate).where(mandate.c.id == row.id)
    return await tx.one(statement.values(**changes, revision=row.revision + 1).returning(mandate))


def _term(row: Row) -> str:
    return f"assemblies/{row.assembly}/terms/{row.term}"


def _message(row: Row) -> pb.Mandate:
    return pb.Mandate(
        name=f"mandates/{row.id}",
        person=f"persons/{row.person}",
        term=_term(row),
        capacity=number(pb.Capacity, row.capacity),
        recommender=row.recommender,
        state=number(pb.MandateState, row.state),
        active_from=date_message(row.active_from),
        active_to=date_message(row.active_to),
        end_reason=number(pb.EndReason, row.end_reason),
        remark=row.remark,
        rule_version=row.rule_version,
        create_time=timestamp(row.created_at),
        etag=etag(row.revision),
    )
