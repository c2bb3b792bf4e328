"""Mandates (代表资格): recommended, vetted, confirmed or rejected, active, ended.

A mandate ends with its term at the latest: `term_end` stands in its row, and once that day has come it reads as ended,
whether or not the end has been entered. The database lets no two mandates of a person in an assembly overlap.
"""

from datetime import date
from typing import Any

import grpc
from asyncpg import UniqueViolationError
from sqlalchemy import ColumnElement, and_, bindparam, case, insert, literal, literal_column, select, update

from chassis import clock
from chassis.database import Database, ReadTx, Row, WriteTx
from chassis.pagination import page
from chassis.rulebooks import rulebook
from chassis.rules import FlagRule, Rulebook
from chassis.sql import Sql
from chassis.wire import check_etag, date_message, etag, identifier, number, read_date, timestamp, word
from quanyutong.registry.v1 import events_pb2
from quanyutong.registry.v1 import mandate_life_pb2 as life
from quanyutong.registry.v1 import mandates_pb2 as pb
from services.registry import domain, duties, eligibility, seats, vetting
from services.registry.assemblies import load_term, term_of
from services.registry.persons import load_current, load_person
from services.registry.recording import check_nothing_later
from services.registry.rules import rule_on
from services.registry.tables import mandate, suspension

Context = grpc.aio.ServicerContext[Any, Any]
successor = mandate.alias("successor")
# The mandate is named in words, so that the subquery can stand in a RETURNING too.
FILLED_BY = (
    select(successor.c.id)
    .where(successor.c.fills == literal_column("mandate.id"), successor.c.state != "rejected")
    .scalar_subquery()
    .label("filled_by")
)
WHOLE = select(mandate, FILLED_BY)
BY_ID = WHOLE.where(mandate.c.id == bindparam("key"))
READ, LOCK = Sql(BY_ID), Sql(BY_ID.with_for_update(of=mandate))
RECOMMEND = Sql(
    insert(mandate).returning(mandate, FILLED_BY),
    columns=("person", "assembly", "term", "term_end", "capacity", "recommender", "state", "fills"),
)
RESUME = Sql(
    update(suspension)
    .where(suspension.c.mandate == bindparam("key"), suspension.c.end_date.is_(None))
    .values(end_date=bindparam("day"))
)
VACANCY_FILLED = "subdistrict_assembly.vacancy_filled"
Verb = (
    pb.VetMandateRequest
    | pb.ConfirmMandateRequest
    | pb.RejectMandateRequest
    | pb.EndMandateRequest
    | life.SuspendMandateRequest
    | life.ReinstateMandateRequest
)


class Mandates:
    _database: Database

    async def RecommendMandate(self, request: pb.RecommendMandateRequest, _: Context) -> pb.Mandate:
        given = request.mandate
        try:
            async with self._database.write() as tx:
                term = await load_term(tx, given.term)
                domain.check_term_running(given.term, term.end_date, clock.today())
                person = await load_current(tx, given.person)
                values = {
                    "person": person.id,
                    "assembly": term.assembly,
                    "term": term.number,
                    "term_end": term.end_date,
                    "capacity": word(pb.Capacity, given.capacity),
                    "recommender": given.recommender,
                    "state": "recommended",
                    "fills": await _vacancy(tx, term, given.fills) if given.fills else None,
                }
                return tx.reply(message(await tx.one(RECOMMEND, **values)))
        except UniqueViolationError as violation:
            if violation.constraint_name == "vacancy_filled_once":
                raise domain.Refused("VACANCY_FILLED", vacancy=given.fills) from None
            raise domain.Refused("MANDATE_EXISTS") from None

    async def VetMandate(self, request: pb.VetMandateRequest, _: Context) -> pb.Mandate:
        async with self._database.write() as tx:
            row, state = await load_for(tx, "vet", request)
            term = await load_term(tx, term_of(row))
            day = max(clock.today(), term.start_date)
            domain.check_term_running(term_of(row), term.end_date, clock.today())
            await _judge(tx, await rulebook(tx, day), row, term, day)
            return tx.reply(message(await save(tx, row, state=state)))

    async def ConfirmMandate(self, request: pb.ConfirmMandateRequest, _: Context) -> pb.Mandate:
        day = read_date(request, "active_from") or clock.today()
        async with self._database.write() as tx:
            row, state = await load_for(tx, "confirm", request)
            # The term's row is the lock under which its delegates are counted.
            term = await load_term(tx, term_of(row), lock=True)
            domain.check_term_running(term_of(row), term.end_date, clock.today())
            domain.check_mandate_date(day, term.start_date, clock.today())
            book = await rulebook(tx, day)
            size, judged_by = await _seat(tx, book, row, term, day)
            saved = await save(
                tx, row, state=state, active_from=day, state_since=day, rule_version=size, judged_by=judged_by
            )
            publish_confirmed(tx, saved)
            return tx.reply(message(saved))

    async def RejectMandate(self, request: pb.RejectMandateRequest, _: Context) -> pb.Mandate:
        async with self._database.write() as tx:
            row, state = await load_for(tx, "reject", request)
            return tx.reply(message(await save(tx, row, state=state, remark=request.reason)))

    async def EndMandate(self, request: pb.EndMandateRequest, _: Context) -> pb.Mandate:
        given, today = read_date(request, "active_to"), clock.today()
        expiry = request.reason == pb.END_REASON_EXPIRY
        async with self._database.write() as tx:
            row, state = await load_for(tx, "end", request)
            if expiry:
                domain.check_term_over(term_of(row), row.term_end, today)
            day = given or (row.term_end if expiry else today)
            domain.check_end_date(day, expiry, row.state_since, row.term_end, today)
            await check_nothing_later(tx, row.id, day)
            await tx.execute(RESUME, key=row.id, day=day)
            reason = word(pb.EndReason, request.reason)
            saved = await save(
                tx, row, state=state, active_to=day, state_since=day, end_reason=reason, remark=request.remark
            )
            publish_ended(tx, saved)
            await duties.end_all(tx, saved.id, day)
            return tx.reply(message(saved))

    async def GetMandate(self, request: pb.GetMandateRequest, _: Context) -> pb.Mandate:
        async with self._database.read() as tx:
            return message(await load_mandate(tx, request.name))

    async def ListMandates(self, request: pb.ListMandatesRequest, _: Context) -> pb.ListMandatesResponse:
        statement = WHOLE
        if request.assembly:
            statement = statement.where(mandate.c.assembly == identifier(request.assembly))
        if request.term:
            assembly, _separator, count = request.term.partition("/terms/")
            statement = statement.where(mandate.c.assembly == identifier(assembly), mandate.c.term == int(count))
        if request.person:
            statement = statement.where(mandate.c.person == identifier(request.person))
        if request.states:
            statement = statement.where(_standing(clock.today()).in_(word(pb.MandateState, s) for s in request.states))
        if request.capacities:
            statement = statement.where(mandate.c.capacity.in_(word(pb.Capacity, c) for c in request.capacities))
        async with self._database.read() as tx:
            rows, token = await page(tx, request, statement, (mandate.c.id, identifier))
        return pb.ListMandatesResponse(mandates=map(message, rows), next_page_token=token)


def _standing(today: date) -> ColumnElement[str]:
    """What `domain.standing` says, of every row."""
    over = and_(mandate.c.state.in_(domain.IN_FORCE), mandate.c.term_end <= today)
    return case((over, literal("ended")), else_=mandate.c.state)


async def _vacancy(tx: ReadTx, term: Row, name: str) -> object:
    """The id of the mandate whose seat is vacant. Raises Refused where it is none that may be filled."""
    row = await load_mandate(tx, name)
    domain.check_vacancy(name, row.state, (row.assembly, row.term) == (term.assembly, term.number))
    if term.kind == "subdistrict_assembly":
        rule = await rule_on(tx, clock.today(), VACANCY_FILLED, FlagRule)
        domain.check_vacancies_filled(rule.value, rule.version)
    return row.id


async def _judge(tx: ReadTx, book: Rulebook, row: Row, term: Row, day: date) -> tuple[Row, list[str]]:
    """The person, who is eligible on the day, and the versions of the rules that say so. Raises Refused."""
    person = await load_person(tx, f"persons/{row.person}")
    criteria = vetting.criteria(book, term, row.capacity)
    eligibility.check(vetting.facts(person), criteria, day)
    return person, [*criteria.versions, await vetting.check_overlaps(tx, book, term, row.person, day)]


async def _seat(tx: ReadTx, book: Rulebook, row: Row, term: Row, day: date) -> tuple[str, list[str]]:
    """The versions of the rules by which the person gets a seat: the size's, and all of them. Raises Refused."""
    person, versions = await _judge(tx, book, row, term, day)
    present = await seats.taken(tx, term, day)
    size = seats.check_room(book, term, len(present), added=1)
    shares = seats.check_shares(book, term, present, [seats.member(person, row.capacity)], day)
    return size, [*versions, *([size] if size else []), *shares]


def publish_confirmed(tx: WriteTx, row: Row) -> None:
    confirmed = events_pb2.MandateConfirmed(
        mandate=f"mandates/{row.id}",
        person=f"persons/{row.person}",
        term=term_of(row),
        capacity=number(pb.Capacity, row.capacity),
        active_from=date_message(row.active_from),
    )
    tx.publish(confirmed, confirmed.mandate)


def publish_ended(tx: WriteTx, row: Row) -> None:
    ended = events_pb2.MandateEnded(
        mandate=f"mandates/{row.id}",
        person=f"persons/{row.person}",
        term=term_of(row),
        active_to=date_message(row.active_to),
        reason=number(pb.EndReason, row.end_reason),
    )
    tx.publish(ended, ended.mandate)


async def load_mandate(tx: ReadTx, name: str, lock: bool = False) -> Row:
    """Raises Refused MANDATE_NOT_FOUND."""
    row = await tx.first(LOCK if lock else READ, key=identifier(name))
    if row is None:
        raise domain.Refused("MANDATE_NOT_FOUND", mandate=name)
    return row


async def load_for(tx: WriteTx, verb: str, request: Verb) -> tuple[Row, str]:
    """The mandate, locked, and the state that the verb leads to."""
    row = await load_mandate(tx, request.name, lock=True)
    check_etag(request.etag, row.revision)
    # An end that came with the term can still be entered.
    state = row.state if verb == "end" else domain.standing(row.state, row.term_end, clock.today())
    return row, domain.next_state(verb, state)


async def save(tx: WriteTx, row: Row, **changes: Any) -> Row:
    statement = update(mandate).where(mandate.c.id == row.id)
    return await tx.one(statement.values(**changes, revision=row.revision + 1).returning(mandate, FILLED_BY))


def message(row: Row) -> pb.Mandate:
    over = row.state in domain.IN_FORCE and domain.standing(row.state, row.term_end, clock.today()) == "ended"
    return pb.Mandate(
        name=f"mandates/{row.id}",
        person=f"persons/{row.person}",
        term=term_of(row),
        capacity=number(pb.Capacity, row.capacity),
        recommender=row.recommender,
        state=pb.MANDATE_STATE_ENDED if over else number(pb.MandateState, row.state),
        active_from=date_message(row.active_from),
        active_to=date_message(row.term_end if over else row.active_to),
        end_reason=pb.END_REASON_EXPIRY if over else number(pb.EndReason, row.end_reason),
        remark=row.remark,
        rule_version=row.rule_version,
        create_time=timestamp(row.created_at),
        etag=etag(row.revision),
        fills=f"mandates/{row.fills}" if row.fills else "",
        filled_by=f"mandates/{row.filled_by}" if row.filled_by else "",
        state_since=date_message(row.term_end if over else row.state_since),
        judged_by=row.judged_by,
        predecessor=row.predecessor or "",
        successor=row.successor or "",
        held_since=date_message(row.held_since),
    )
