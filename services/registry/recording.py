"""Recording acts of duty: one by one, many at once, and from events of other services; each is counted once.

The same act can be told of several times: by an event that is delivered twice,
by two events on the same thing, by the district's own entry and an event that
confirms it. Acts of one kind, day and source are one activity. A delegate takes
part in it once, and an event type tells of a delegate and a source once for all
time, whatever becomes of the entry.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date
from uuid import UUID

from sqlalchemy import ARRAY, Text, Uuid, and_, any_, bindparam, delete, func, not_, select, update
from sqlalchemy.dialects.postgresql import insert

from chassis import clock
from chassis.database import ReadTx, Row, WriteTx
from chassis.sql import Sql
from chassis.wire import date_message, number
from quanyutong.registry.v1 import activities_pb2, events_pb2
from services.registry import counting
from services.registry.tables import activity, mandate, participation, participation_told, suspension, term, unit

ENTER = Sql(
    insert(activity).returning(activity),
    columns=("kind", "day", "people_received", "subject", "unit", "source", "confirmed"),
)
TAKE_PART = Sql(
    insert(participation).on_conflict_do_nothing().returning(participation.c.mandate), columns=("activity", "mandate")
)
LEAVE = Sql(
    delete(participation).where(
        participation.c.activity == bindparam("key"),
        not_(participation.c.mandate == any_(bindparam("staying", type_=ARRAY(Uuid)))),
    )
)
# A mandate ends with its term, whether or not somebody entered that. Locked, so that none ends before the act in the
# moment in which the act is recorded.
DAYS = Sql(
    select(mandate.c.id, mandate.c.active_from, func.least(mandate.c.active_to, term.c.end_date).label("active_to"))
    .join(term, and_(term.c.assembly == mandate.c.assembly, term.c.number == mandate.c.term))
    .where(mandate.c.id == any_(bindparam("ids", type_=ARRAY(Uuid))))
    .order_by(mandate.c.id)
    .with_for_update(read=True, of=mandate)
)
SUSPENSIONS = Sql(select(suspension).where(suspension.c.mandate == any_(bindparam("ids", type_=ARRAY(Uuid)))))
UNITS = Sql(select(unit.c.code).where(unit.c.code == any_(bindparam("codes", type_=ARRAY(Text)))))
COUNTED = Sql(
    select(activity.c.id, activity.c.kind, activity.c.day, activity.c.source).where(
        activity.c.source == any_(bindparam("sources", type_=ARRAY(Text))),
        activity.c.source != "",
        activity.c.withdrawal_reason == "",
    )
)
TOLD = Sql(
    insert(participation_told).on_conflict_do_nothing().returning(participation_told.c.mandate),
    columns=("event_type", "source", "mandate"),
)
SAME = Sql(
    select(activity)
    .where(
        activity.c.kind == bindparam("kind"),
        activity.c.day == bindparam("day"),
        activity.c.source == bindparam("source"),
        activity.c.withdrawal_reason == "",
    )
    .with_for_update()
)
# A paper that a poll handed out is not for hands to change, and holds up nothing.
LATER = Sql(
    select(func.count().label("count"), func.max(activity.c.day).label("latest"))
    .join(participation, participation.c.activity == activity.c.id)
    .where(
        participation.c.mandate == bindparam("mandate"),
        activity.c.day >= bindparam("day"),
        activity.c.withdrawal_reason == "",
        activity.c.kind != counting.PAPER,
    )
)


async def known_of(tx: WriteTx, acts: Collection[counting.Act], besides: UUID | None = None) -> counting.Known:
    """What the register knows of what the acts name; `besides` is an activity that is being corrected."""
    mandates = {each for act in acts for each in act.mandates}
    rows = await tx.all(DAYS, ids=sorted(mandates))
    suspensions: dict[UUID, list[tuple[date, date | None]]] = defaultdict(list)
    for each in await tx.all(SUSPENSIONS, ids=sorted(mandates)):
        suspensions[each.mandate].append((each.start_date, each.end_date))
    units = await tx.all(UNITS, codes=sorted({act.unit for act in acts if act.unit is not None}))
    counted = await tx.all(COUNTED, sources=sorted({act.source for act in acts}))
    return counting.Known(
        today=clock.today(),
        days={row.id: (row.active_from, row.active_to) for row in rows},
        suspensions=suspensions,
        units={row.code for row in units},
        counted={(row.kind, row.day, row.source): f"activities/{row.id}" for row in counted if row.id != besides},
    )


def check(act: counting.Act, known: counting.Known, by_event: bool = False) -> None:
    """Raises the first Refused that forbids the act."""
    for _, refused in counting.faults(act, known, by_event):
        raise refused


async def enter(tx: WriteTx, acts: Sequence[counting.Act], confirmed: bool = False) -> Sequence[Row]:
    """Enters the acts with those who took part."""
    entries = [
        {
            "kind": act.kind,
            "day": act.day,
            "people_received": act.people_received,
            "subject": act.subject,
            "unit": act.unit,
            "source": act.source,
            "confirmed": confirmed,
        }
        for act in acts
    ]
    rows = await tx.each(ENTER, entries)
    parts = [(row.id, mandate) for row, act in zip(rows, acts, strict=True) for mandate in act.mandates]
    await tx.each(TAKE_PART, [{"activity": key, "mandate": mandate} for key, mandate in parts])
    return rows


async def replace_mandates(tx: WriteTx, key: UUID, mandates: Sequence[UUID]) -> None:
    await tx.execute(LEAVE, key=key, staying=mandates)
    await tx.each(TAKE_PART, [{"activity": key, "mandate": mandate} for mandate in mandates])


def publish_changes(tx: WriteTx, before: Collection[counting.Act] = (), after: Collection[counting.Act] = ()) -> None:
    """Tells by how much the district's counts changed, if they did."""
    changed = counting.changes(before, after)
    if not changed:
        return
    event = events_pb2.ActivitiesRecorded()
    for kind, month in sorted({(kind, month) for kind, month, _ in changed}):
        counted = {what: changed[kind, month, what] for what in ("activities", "person_times", "people_received")}
        event.changes.add(kind=number(activities_pb2.ActivityKind, kind), month=date_message(month), **counted)
    tx.publish(event, "activities")


async def record_from_event(tx: WriteTx, event_type: str, act: counting.Act) -> None:
    """Records what an event of another service tells of; what it told before has no second effect.

    `act.source` is the resource that the event is about. An activity of this kind, day and source that is counted
    already is confirmed, and whoever took part by this event joins it. Who was suspended on the day is left out, once
    for all, and the audit has a note of it. Raises Refused for anything else as for the district's own entry.
    """
    news = [{"event_type": event_type, "source": act.source, "mandate": mandate} for mandate in act.mandates]
    untold = tuple(row.mandate for row in await tx.each(TOLD, news))
    if not untold:
        return
    known = replace(await known_of(tx, [act]), counted={})
    told = replace(act, mandates=_acting(tx, replace(act, mandates=untold), known))
    if not told.mandates:
        return
    check(told, known, by_event=True)
    same = await tx.first(SAME, kind=act.kind, day=act.day, source=act.source)
    if same is None:
        await enter(tx, [told], confirmed=True)
        publish_changes(tx, after=[told])
    else:
        await _join(tx, same, told)


def _acting(tx: WriteTx, act: counting.Act, known: counting.Known) -> tuple[UUID, ...]:
    """Whose act it can have been; of the others the audit says why it is not counted."""
    idle = {each for each in act.mandates if counting.suspended(each, act.day, known)}
    for each in sorted(idle):
        tx.note(f"not counted while suspended: {act.kind} {act.day} {act.source}", f"mandates/{each}")
    return tuple(each for each in act.mandates if each not in idle)


async def check_nothing_later(tx: ReadTx, mandate: UUID, day: date) -> None:
    """Whether the mandate may stop on the day; ask under its lock. What was done before noon today stands.

    Raises Refused ACTIVITIES_LATER.
    """
    if day < clock.today():
        found = await tx.one(LATER, mandate=mandate, day=day)
        counting.check_nothing_later(f"mandates/{mandate}", day, found.count, found.latest)


async def _join(tx: WriteTx, row: Row, told: counting.Act) -> None:
    """Confirms the entry. What it says stays; a number of people that it does not have is taken from the event."""
    parts = [{"activity": row.id, "mandate": mandate} for mandate in told.mandates]
    joined = tuple(part.mandate for part in await tx.each(TAKE_PART, parts))
    people = row.people_received or told.people_received
    confirmed = update(activity).where(activity.c.id == row.id)
    await tx.execute(confirmed.values(confirmed=True, people_received=people, revision=row.revision + 1))
    before = replace(told, mandates=(), people_received=row.people_received)
    publish_changes(tx, [before], [replace(before, mandates=joined, people_received=people)])
