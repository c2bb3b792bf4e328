"""A long list through the gateway, next to bare inserts of the same rows, one after the other in each round."""

import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import asyncpg

from bench.measure import ratio
from quanyutong.registry.v1 import imports_pb2 as pb
from quanyutong.registry.v1 import mandates_pb2, persons_pb2
from tests.conftest import tenant_of
from tests.contract.office import Office, in_days, on
from tests.harness import Platform

ROWS, BATCH, ROUNDS = 10_000, 500, 3
PATIENCE = 120.0
BORN = date(1950, 1, 1)
TABLES = """
    CREATE TABLE IF NOT EXISTS floor_person (id uuid PRIMARY KEY, display_name text NOT NULL, birth_date date NOT NULL);
    CREATE TABLE IF NOT EXISTS floor_mandate (id uuid PRIMARY KEY DEFAULT uuidv7(),
        person uuid NOT NULL REFERENCES floor_person, capacity text NOT NULL, active_from date NOT NULL)"""
PERSON = """
    INSERT INTO floor_person (id, display_name, birth_date) VALUES (uuidv7(), $1, $2) RETURNING id"""
MANDATE = "INSERT INTO floor_mandate (person, capacity, active_from) VALUES ($1, 'deputy', $2)"


@dataclass
class Imported:
    """Seconds of each round: of the list that is new, of the same list again, and of the bare inserts."""

    new: list[float] = field(default_factory=list)
    again: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        return ratio(self.new, self.bare)


def a_list() -> Sequence[pb.ImportRow]:
    """As a district's office sends one: no two people of one name and birth date."""
    return [
        pb.ImportRow(
            number=number,
            capacity=mandates_pb2.CAPACITY_DEPUTY,
            person=persons_pb2.Person(
                display_name=f"代表{number}",
                birth_date=on(BORN + timedelta(days=number)),
                gender=persons_pb2.GENDER_FEMALE if number % 2 else persons_pb2.GENDER_MALE,
                occupation=persons_pb2.OCCUPATION_FARMER,
            ),
        )
        for number in range(1, ROWS + 1)
    ]


async def importing(city: Platform) -> Imported:
    """In a fresh district each round: what is there already would be recognised, and not entered."""
    found, rows = Imported(), a_list()
    connection = await asyncpg.connect(city.postgres.url)
    try:
        await connection.execute(TABLES)
        for _ in range(ROUNDS):
            async with tenant_of(city, "gateway") as tenant:
                office = Office(tenant)
                term = await office.term(await office.congress())
                found.bare.append(await _bare(connection, rows))
                found.new.append(await _import(office, term, rows, added=ROWS))
                found.again.append(await _import(office, term, rows, added=0))
    finally:
        await connection.close()
    return found


async def _import(office: Office, term: str, rows: Sequence[pb.ImportRow], added: int) -> float:
    async def parts() -> AsyncIterator[pb.ImportMandatesRequest]:
        opening = pb.ImportMandatesRequest.Opening(
            term=term, active_from=on(in_days(-30)), recommender="某社区居民委员会"
        )
        yield pb.ImportMandatesRequest(opening=opening)
        for start in range(0, len(rows), BATCH):
            yield pb.ImportMandatesRequest(batch=pb.ImportMandatesRequest.Batch(rows=rows[start : start + BATCH]))

    started = time.perf_counter()
    answer = await office.registry.ImportMandates(parts(), metadata=office.tenant.metadata(), timeout=PATIENCE)
    seconds = time.perf_counter() - started
    assert (answer.added, answer.refused) == (added, 0), answer
    return seconds


async def _bare(connection: asyncpg.Connection, rows: Sequence[pb.ImportRow]) -> float:
    """The same people and seats in two bare tables, in one transaction, each statement once for all rows."""
    day = in_days(-30)
    people = [(row.person.display_name, BORN + timedelta(days=row.number)) for row in rows]
    started = time.perf_counter()
    async with connection.transaction():
        entered = await connection.fetchmany(PERSON, people)
        await connection.executemany(MANDATE, [(person["id"], day) for person in entered])
    return time.perf_counter() - started
