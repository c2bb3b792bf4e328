"""Nominations (提名): what feedback told of enters collection once, as soon as its campaign collects.

Whoever raised something knows nothing of campaigns, and may be earlier than they are. So a nomination waits, and a
round sees whether its time has come. What cannot enter is refused, and feedback is told why.
"""

import re
from datetime import date

from sqlalchemy import bindparam, select, text

from chassis import clock
from chassis.database import Database, ReadTx, Row, WriteTx
from chassis.impersonal import impersonal
from chassis.manifest import Event, Round
from chassis.sql import Sql
from chassis.vault import Vault
from quanyutong.ballots.v1 import suggestions_pb2 as pb
from quanyutong.feedback.v1 import events_pb2 as feedback
from services.ballots.campaign_path import is_time
from services.ballots.campaigns import campaign_name
from services.ballots.domain import Refused
from services.ballots.project_tables import campaign, nomination
from services.ballots.suggestions import nominate
from services.ballots.telling import tell_of_refusal

# Seconds between two looks at the nominations that wait.
EVERY = 30.0
# A suggestion is one line.
BREAKS = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")
TOLD = Sql(
    text("""INSERT INTO nomination (nominated, content, unit, place, year)
            VALUES (:nominated, :content, :unit, :place, :year) ON CONFLICT DO NOTHING RETURNING *""")
)
WAITING = Sql(select(nomination).where(~nomination.c.settled).order_by(nomination.c.told_at))
HOLD = Sql(
    select(nomination).where(nomination.c.nominated == bindparam("nominated"), ~nomination.c.settled).with_for_update()
)
SETTLED = Sql(text("UPDATE nomination SET settled = true WHERE nominated = :nominated"))
# The assembly of a unit has one campaign a year, as that of the district has.
CAMPAIGN = Sql(
    select(campaign)
    .where(campaign.c.unit == bindparam("unit"), campaign.c.year == bindparam("year"))
    .order_by(campaign.c.id)
    .limit(1)
)


async def nominated(tx: WriteTx, event: feedback.Nominated, _: Event) -> None:
    """Told again, whatever its words, it changes nothing."""
    row = await tx.first(
        TOLD,
        nominated=event.nominated,
        content=_line(event.title, event.description),
        unit=event.unit.removeprefix("units/"),
        place=event.place.removeprefix("units/"),
        year=event.year,
    )
    if row is not None:
        await _settle(tx, row, clock.today())


async def enter_waiting(database: Database) -> None:
    """For the district of the task."""
    today = clock.today()
    async with database.read() as tx:
        due = [row for row in await tx.all(WAITING) if await _is_time(tx, row, today)]
    for row in due:
        async with database.write() as tx:
            if held := await tx.first(HOLD, nominated=row.nominated):
                await _settle(tx, held, today)


async def _settle(tx: WriteTx, row: Row, today: date) -> None:
    """Enters it or refuses it, once its time has come."""
    if not await _is_time(tx, row, today):
        return
    try:
        await nominate(tx, await _request(tx, row))
    except Refused as refused:
        tell_of_refusal(tx, row.nominated, refused)
    await tx.execute(SETTLED, nominated=row.nominated)


async def _is_time(tx: ReadTx, row: Row, today: date) -> bool:
    of = await tx.first(CAMPAIGN, unit=row.unit, year=row.year)
    return is_time(row.year, (of.state, of.start_date) if of else None, today)


async def _request(tx: ReadTx, row: Row) -> pb.NominateSuggestionRequest:
    """As a clerk would nominate it. Raises Refused CAMPAIGN_NOT_FOUND."""
    of = await tx.first(CAMPAIGN, unit=row.unit, year=row.year)
    if of is None:
        raise Refused("CAMPAIGN_NOT_FOUND", campaign=row.year)
    unit = f"units/{row.place}" if row.place else ""
    return pb.NominateSuggestionRequest(
        campaign=campaign_name(of.id), nominated=row.nominated, content=row.content, unit=unit
    )


def _line(*parts: str) -> str:
    return impersonal("：".join(filter(None, (BREAKS.sub(" ", part).strip() for part in parts))))


async def _visit(database: Database, _: Vault) -> None:
    await enter_waiting(database)


ROUND = Round("waiting nominations", EVERY, _visit)
