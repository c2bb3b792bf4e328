"""Tells the other services how far a district's obligations are, once for each change.

A day that passes changes it as a meeting does, so it is looked at in rounds, not where meetings change.
"""

from collections.abc import Mapping
from datetime import date

from sqlalchemy import delete, insert, select

from chassis import clock
from chassis.database import Database, WriteTx
from chassis.manifest import Round
from chassis.sql import Sql
from chassis.vault import Vault
from chassis.wire import number
from quanyutong.meetings.v1 import events_pb2
from quanyutong.meetings.v1 import plan_pb2 as pb
from services.meetings.obligations import State, counted
from services.meetings.tables import obligation_count
from services.meetings.year import load_standings

EVERY = 300.0
# What is held in the last days of a year may be entered in the first weeks of the next.
LATE_ENTRIES = 31
ADD = Sql(insert(obligation_count), columns=("year", "kind", "state", "obligations"))


async def tell_counts(database: Database, _: Vault) -> None:
    """For the district of the task."""
    today = clock.today()
    for year in years_of(today):
        async with database.write() as tx:
            await _tell(tx, year, today)


def years_of(today: date) -> list[int]:
    """The years whose counts can change."""
    begun = (today - date(today.year, 1, 1)).days
    return [today.year - 1, today.year] if begun < LATE_ENTRIES else [today.year]


async def _tell(tx: WriteTx, year: int, today: date) -> None:
    counts = counted(await load_standings(tx, year, today))
    of_year = obligation_count.c.year == year
    told = {(row.kind, row.state): row.obligations for row in await tx.all(select(obligation_count).where(of_year))}
    if counts == told:
        return
    await tx.execute(delete(obligation_count).where(of_year))
    await tx.each(
        ADD, [{"year": year, "kind": kind, "state": state, "obligations": n} for (kind, state), n in counts.items()]
    )
    tx.publish(_event(year, counts), f"obligations/{year}")


def _event(year: int, counts: Mapping[tuple[str, State], int]) -> events_pb2.ObligationsCounted:
    return events_pb2.ObligationsCounted(
        year=year,
        counts=[
            events_pb2.ObligationCount(
                kind=number(pb.ObligationKind, kind), state=number(pb.ObligationState, state), obligations=obligations
            )
            for (kind, state), obligations in sorted(counts.items())
        ],
    )


ROUND = Round("counting obligations", EVERY, tell_counts)
