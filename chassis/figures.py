"""What a service counts of a district, told as an event whenever it has changed.

All of it is counted and only months that differ from what was told are told, each as a whole: so it does not matter
how often a telling arrives, in which order, or whether one was lost that a later one replaces.
"""

import hashlib
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from google.protobuf.message import Message
from sqlalchemy import Column, Date, LargeBinary, MetaData, PrimaryKeyConstraint, Table, select, text

from chassis import columns
from chassis.database import Database, ReadTx
from chassis.ground import protect
from chassis.sql import Asked, Sql
from chassis.wire import date_message
from quanyutong.common.v1.figures_pb2 import Figure, FigureKind, FiguresSheet

# Up to how many a count that could point at a person is not told; see `coarsened`.
FEW = 4
ONE_AT_A_TIME = Sql(text("SELECT pg_advisory_xact_lock(hashtextextended('figures ' || :district, 0))"))
TELL = Sql(
    text(
        """INSERT INTO told_month (month, digest) VALUES (:month, :digest)
           ON CONFLICT (district, month) DO UPDATE SET digest = :digest"""
    )
)


class Cell(NamedTuple):
    """What one figure counts; `kind` and the words of `facet` without prefix, as FigureKind says."""

    month: date
    kind: str
    unit: str = ""
    facet: str = ""


# How many; None where there are so few that the count is not told.
Counts = Mapping[Cell, int | None]
Count = Callable[[ReadTx], Awaitable[Counts]]


@dataclass(frozen=True, slots=True)
class Figures:
    """What a service counts: the event that tells it, and how it is counted for the district of the transaction."""

    event: type[Message]
    count: Count


def told_month(metadata: MetaData) -> Table:
    """Of each month what was last told, as a digest."""
    return Table(
        "told_month",
        metadata,
        columns.district(),
        Column("month", Date, nullable=False),
        Column("digest", LargeBinary, nullable=False),
        PrimaryKeyConstraint("district", "month"),
    )


def create_told_month(schema: str) -> list[str]:
    """The statements of the migration that makes it. It is not audited: what it is made of is."""
    return [
        """CREATE TABLE told_month (
            district text NOT NULL DEFAULT current_setting('app.district') CHECK (district ~ '^[0-9]{6}$'),
            month date NOT NULL,
            digest bytea NOT NULL,
            PRIMARY KEY (district, month)
        )""",
        *protect(schema, "told_month", "SELECT, INSERT, UPDATE"),
    ]


async def cells(tx: ReadTx, counted: Asked, **values: Any) -> dict[Cell, int]:
    """What a statement counts that gives `kind`, `month`, `unit`, `facet` and `value`; facets come in any case."""
    return {
        Cell(row.month, row.kind, row.unit, row.facet.upper()): row.value for row in await tx.all(counted, **values)
    }


async def tell(database: Database, figures: Figures, *, again: bool = False) -> int:
    """Tells the months of the task's district that are not as they were told, or all of them. Returns how many."""
    table = told_month(MetaData())
    async with database.write() as tx:
        await tx.execute(ONE_AT_A_TIME, district=tx.district)
        told = {row.month: bytes(row.digest) for row in await tx.all(select(table.c.month, table.c.digest))}
        sheets = {month: sheet_of(month, cells) for month, cells in by_month(await figures.count(tx), told).items()}
        digests = {month: _digest(sheet) for month, sheet in sheets.items()}
        changed = [month for month in sorted(sheets) if again or digests[month] != told.get(month)]
        await tx.each(TELL, [{"month": month, "digest": digests[month]} for month in changed])
        for month in changed:
            tx.publish(figures.event(sheet=sheets[month]), f"figures/{month:%Y-%m}")
        return len(changed)


def by_month(counts: Counts, told: Mapping[date, Any]) -> dict[date, dict[Cell, int | None]]:
    """The counts by their month; a month of which nothing is left is there too, empty."""
    months: dict[date, dict[Cell, int | None]] = defaultdict(dict, {month: {} for month in told})
    for cell, value in counts.items():
        if value != 0:
            months[cell.month][cell] = value
    return dict(months)


def sheet_of(month: date, cells: Counts) -> FiguresSheet:
    figures = [
        Figure(
            kind=FigureKind.Value(f"FIGURE_KIND_{cell.kind}"),
            unit=f"units/{cell.unit}" if cell.unit else "",
            facet=cell.facet,
            value=value or 0,
            few=value is None,
        )
        for cell, value in sorted(cells.items())
    ]
    return FiguresSheet(month=date_message(month), figures=figures)


def _digest(sheet: FiguresSheet) -> bytes:
    return hashlib.sha256(sheet.SerializeToString(deterministic=True)).digest()


def coarsened(counts: Mapping[str, int]) -> dict[str, int | None]:
    """The counts of all values of one trait, which add up to a number that is known.

    A count of 1 to FEW is left out. Where that is a single one, its complement would tell it: so the smallest of the
    others is left out as well, but for a trait that has no other.
    """
    few = {value for value, count in counts.items() if 0 < count <= FEW}
    others = [value for value, count in counts.items() if count > FEW]
    if len(few) == 1 and others:
        few.add(min(others, key=lambda value: (counts[value], value)))
    return {value: None if value in few else count for value, count in counts.items()}
