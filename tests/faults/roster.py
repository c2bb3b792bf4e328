"""A register in which everything happens that a roster is made of, and whether the meetings' copy of it is right."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
from nats.errors import TimeoutError as NothingMore

from chassis import actor, tenancy
from chassis.bus import Bus, event_of
from chassis.database import Database
from chassis.manifest import Event
from quanyutong.registry.v1 import assemblies_pb2, stations_pb2
from services.meetings.events import CONSUMES
from tests.contract.office import Office, in_days, mask
from tests.harness import Platform, until

# What each says of the district: the register's own tables, and the copies.
REGISTER = {
    "assemblies": "SELECT id, kind, unit, display_name FROM registry.assembly WHERE district = $1",
    "terms": "SELECT assembly, number, start_date, end_date FROM registry.term WHERE district = $1",
    "mandates": """SELECT id, person, assembly, term, capacity, active_from, active_to FROM registry.mandate
                   WHERE district = $1 AND active_from IS NOT NULL""",
    "suspensions": """SELECT s.mandate, s.start_date, coalesce(s.end_date, m.active_to)
                      FROM registry.suspension s JOIN registry.mandate m ON (m.district, m.id) = (s.district, s.mandate)
                      WHERE s.district = $1 AND s.end_date IS DISTINCT FROM s.start_date""",
    "stations": "SELECT id, kind, unit, display_name, start_date, end_date FROM registry.station WHERE district = $1",
    "rotas": "SELECT id, station, mandate, start_date, end_date FROM registry.rota_entry WHERE district = $1",
    "rules": """SELECT rule, revision, value, effective_date, enforcement FROM registry.rule_override
                WHERE district = $1""",
}
COPIES = {
    what: query.replace("registry.", "meetings.").replace(" AND active_from IS NOT NULL", "")
    for what, query in REGISTER.items()
}
TABLES = ("assembly", "term", "mandate", "suspension", "merged_person", "station", "rota_entry", "rule_override")


@dataclass(frozen=True)
class Told:
    """An event as it lies in the stream."""

    event: Event
    subject: str
    headers: dict[str, str]
    content: bytes


async def everything_happens(office: Office) -> None:
    """Of each kind of event that the meetings service hears, and of some several about one thing."""
    unit = await office.unit()
    assembly = await office.assembly(unit)
    term = await office.term(assembly)
    people = [await office.eligible(term, "李四") for _ in range(3)]
    seated = [await office.active(term, person, in_days(-100)) for person in people[:2]]
    ended, again, suspended = [await office.active(term, day=in_days(-100)) for _ in range(3)]
    await office.end(ended, in_days(-3))
    await office.suspend(again, in_days(-20))
    await office.reinstate(again, in_days(-10))
    await office.suspend(again, in_days(-10))
    await office.reinstate(again, in_days(-10))
    await office.suspend(suspended, in_days(-1))
    await office.merge(people[2], people[1])
    kept = await office.eligible(term, "李四")
    await office.merge(kept, people[2])
    await renamed(office, assembly)
    await stations(office, unit, seated)
    for value in ("60", "70"):
        await office.override(value, in_days(1))


async def renamed(office: Office, assembly: str) -> None:
    kind = assemblies_pb2.ASSEMBLY_KIND_SUBDISTRICT_ASSEMBLY
    for name in ("先用名", "现用名"):
        titled = assemblies_pb2.Assembly(name=assembly, kind=kind, display_name=name)
        await office.call(
            "UpdateAssembly", assemblies_pb2.UpdateAssemblyRequest(assembly=titled, update_mask=mask("display_name"))
        )


async def stations(office: Office, unit: str, mandates: Sequence[str]) -> None:
    open_, closed = [await office.station(unit) for _ in range(2)]
    entries = [await office.assigned(open_, mandate, in_days(-30)) for mandate in mandates]
    await office.release(entries[0], in_days(-5))
    await office.assigned(closed, mandates[0], in_days(-30))
    await office.close_station(closed, in_days(0))
    named = stations_pb2.Station(
        name=open_, kind=stations_pb2.STATION_KIND_HOUSE, unit=unit, display_name="改名站", address="试验路1号"
    )
    request = stations_pb2.UpdateStationRequest(station=named, update_mask=mask("display_name"))
    await office.call("UpdateStation", request)


async def said(site: Platform, district: str, queries: dict[str, str]) -> dict[str, set[tuple[Any, ...]]]:
    connection = await asyncpg.connect(site.postgres.url)
    try:
        await connection.execute("SELECT set_config('app.district', $1, false)", district)
        return {
            what: {tuple(row) for row in await connection.fetch(query, district)} for what, query in queries.items()
        }
    finally:
        await connection.close()


async def copied(site: Platform, district: str) -> bool:
    return await said(site, district, COPIES) == await said(site, district, REGISTER)


async def agrees(site: Platform, district: str) -> None:
    """Returns when the copies are as the register is. Fails where the register is empty, since that proves nothing."""
    assert all((await said(site, district, REGISTER)).values())
    await until(lambda: copied(site, district))


async def told(site: Platform, district: str) -> list[Told]:
    """All that the registry told of the district and the meetings service hears, in the order of the stream."""
    bus = await Bus.connect(site.nats.url, "test")
    found: list[Told] = []
    try:
        subscription = await bus.js.subscribe(f"qyt.{district}.registry.*", ordered_consumer=True)
        while True:
            message = await subscription.next_msg(1.0)
            event = event_of(message.headers or {})
            if event.type in HANDLERS:
                found.append(Told(event, message.subject, dict(message.headers or {}), message.data))
    except NothingMore:
        return found
    finally:
        await bus.close()


HANDLERS = {kind.DESCRIPTOR.full_name: (kind, handler) for kind, handler in CONSUMES.items()}


async def emptied(site: Platform, district: str) -> None:
    """Forgets what the meetings service was told of the district."""
    connection = await asyncpg.connect(site.postgres.url)
    try:
        for table in (*TABLES, "inbox"):
            await connection.execute(f"DELETE FROM meetings.{table} WHERE district = $1", district)
    finally:
        await connection.close()


async def applied(database: Database, events: Sequence[Told]) -> None:
    """Has the handlers themselves apply the events, in this order, without the inbox that would stop a second time."""
    for each in events:
        kind, handler = HANDLERS[each.event.type]
        with tenancy.acting_for(each.event.district), actor.applying(each.event.type):
            async with database.write() as tx:
                await handler(tx, kind.FromString(each.content), each.event)
