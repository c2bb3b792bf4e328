"""The read model made anew from what the streams have kept, while it is read and told of new events.

Of each month the latest telling counts, so the streams are read once for the latest of each, and then every district is
compared and mended in a transaction of its own: whoever reads sees it as it was or as it is, and a run that breaks off
is made good by the next. What memory it takes grows with districts and months, not with events.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from nats.aio.msg import Msg
from sqlalchemy import select

from chassis import tenancy
from chassis.bus import Bus, event_of
from chassis.database import Database, Row, WriteTx
from chassis.manifest import package_of
from quanyutong.common.v1.figures_pb2 import FiguresSheet
from services.municipal.events import TOLD
from services.municipal.tables import cell, sheet
from services.municipal.telling import IN_TURN, cells_of, enter

Progress = Callable[[int], None]
KINDS = {kind.DESCRIPTOR.full_name: kind for kind in TOLD}


@dataclass(frozen=True, slots=True)
class Telling:
    """A month of a service, by the event that told it last; the sheet as it came."""

    told: UUID
    content: bytes


# By the service and the month.
Tellings = dict[tuple[str, date], Telling]


@dataclass
class Outcome:
    """How many months were as told, were not and are now, or are of a telling that no stream has any more."""

    same: int = 0
    mended: int = 0
    older: int = 0

    def __iadd__(self, other: "Outcome") -> "Outcome":
        self.same += other.same
        self.mended += other.mended
        self.older += other.older
        return self


async def latest(bus: Bus, told: Progress = lambda _: None) -> Mapping[str, Tellings]:
    """The latest telling of each month, by district. `told` is called with how many events were read."""
    found: dict[str, Tellings] = defaultdict(dict)
    for kind in KINDS:
        async for messages in bus.each(kind):
            for message in messages:
                _note(found, message)
            told(len(messages))
    return found


def _note(found: dict[str, Tellings], message: Msg) -> None:
    event = event_of(message.headers or {})
    content = KINDS[event.type].FromString(message.data).sheet  # type: ignore[attr-defined]
    place = package_of(event.type), date(content.month.year, content.month.month, 1)
    known = found[event.district].get(place)
    if known is None or known.told < event.id:
        found[event.district][place] = Telling(event.id, content.SerializeToString())


async def rebuild(database: Database, tellings: Mapping[str, Tellings]) -> Outcome:
    """Every district of which there are tellings."""
    outcome = Outcome()
    for district in sorted(tellings):
        with tenancy.acting_for(district):
            async with database.write() as tx:
                outcome += await _rebuild(tx, tellings[district])
    return outcome


async def _rebuild(tx: WriteTx, tellings: Tellings) -> Outcome:
    await tx.execute(IN_TURN)
    sheets = await tx.all(select(sheet).where(sheet.c.district == tx.district))
    known = {(row.service, row.month): row.told for row in sheets}
    cells: dict[tuple[str, date], set[tuple[object, ...]]] = defaultdict(set)
    for row in await tx.all(select(cell).where(cell.c.district == tx.district)):
        cells[row.service, row.month].add(_figure(row))
    outcome = Outcome(older=len(known.keys() - tellings.keys()))
    for (service, month), telling in tellings.items():
        content = FiguresSheet.FromString(telling.content)
        said = {_figure(each) for each in cells_of(service, month, content)}
        later = (told := known.get((service, month))) is not None and told > telling.told
        if later or (told == telling.told and said == cells[service, month]):
            outcome.same += 1
        elif await enter(tx, service, content, telling.told):
            outcome.mended += 1
    return outcome


def _figure(row: Row | Mapping[str, object]) -> tuple[object, ...]:
    return tuple(row[name] for name in ("kind", "unit", "facet", "value", "few"))
