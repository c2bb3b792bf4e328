"""What the districts' services tell, written down as it comes: each month of a service as a whole, the latest wins."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from uuid import UUID

from google.protobuf.message import Message
from sqlalchemy import insert, text

from chassis.database import WriteTx
from chassis.manifest import Event, package_of
from chassis.sql import Sql
from quanyutong.common.v1.events_pb2 import DistrictChanged
from quanyutong.common.v1.figures_pb2 import FigureKind, FiguresSheet
from services.municipal.tables import cell

# Changes are numbered in the order of their commits, so that who has seen one has seen all before it.
IN_TURN = Sql(text("SELECT pg_advisory_xact_lock(hashtext('qyt-municipal-change'))"))
ENTER = Sql(
    text(
        """INSERT INTO sheet (service, month, told, told_at) VALUES (:service, :month, :told, :told_at)
           ON CONFLICT (district, service, month) DO UPDATE
           SET told = :told, told_at = :told_at, change = nextval('change') WHERE sheet.told <= :told
           RETURNING told"""
    )
)
CLEAR = Sql(text("DELETE FROM cell WHERE district = :district AND service = :service AND month = :month"))
ADD = Sql(insert(cell), columns=("service", "month", "kind", "unit", "facet", "value", "few"))
DISTRICT = Sql(
    text(
        """INSERT INTO district (code, display_name, valid_to, told) VALUES (:code, :name, :valid_to, :told)
           ON CONFLICT (code) DO UPDATE SET display_name = :name, valid_to = :valid_to, told = :told
           WHERE district.told < :told"""
    )
)
PREFIX = "FIGURE_KIND_"


async def figures_told(tx: WriteTx, content: Message, event: Event) -> None:
    """`content` is the FiguresTold of any service."""
    await enter(tx, package_of(event.type), content.sheet, event.id)  # type: ignore[attr-defined]


async def district_changed(tx: WriteTx, content: DistrictChanged, event: Event) -> None:
    ended = content.valid_to if content.HasField("valid_to") else None
    valid_to = date(ended.year, ended.month, ended.day) if ended else None
    await tx.execute(DISTRICT, code=content.code, name=content.display_name, valid_to=valid_to, told=event.id)


async def enter(tx: WriteTx, service: str, sheet: FiguresSheet, told: UUID) -> bool:
    """Unless what is known is later. Returns whether it was entered."""
    month = date(sheet.month.year, sheet.month.month, 1)
    await tx.execute(IN_TURN)
    if await tx.first(ENTER, service=service, month=month, told=told, told_at=moment_of(told)) is None:
        return False
    await tx.execute(CLEAR, district=tx.district, service=service, month=month)
    await tx.each(ADD, cells_of(service, month, sheet))
    return True


def cells_of(service: str, month: date, sheet: FiguresSheet) -> Sequence[dict[str, object]]:
    return [
        {
            "service": service,
            "month": month,
            "kind": FigureKind.Name(figure.kind).removeprefix(PREFIX),
            "unit": figure.unit.removeprefix("units/"),
            "facet": figure.facet,
            "value": figure.value,
            "few": figure.few,
        }
        for figure in sheet.figures
    ]


def moment_of(event: UUID) -> datetime:
    """When an event came about: the first 48 bits of its id are milliseconds (RFC 9562, UUIDv7)."""
    return datetime.fromtimestamp((event.int >> 80) / 1000, UTC)
