"""The end of a district that another one has taken over: what was in force there ends on the day, and stays there."""

from collections.abc import Container
from uuid import UUID

from sqlalchemy import Uuid, bindparam, func, or_, update

from chassis.database import WriteTx
from chassis.sql import Sql
from chassis.vault import Vault
from quanyutong.registry.v1 import succession_pb2 as pb
from services.registry import duties, mandates
from services.registry.estate import Estate, check_unchanged
from services.registry.recognising import among
from services.registry.stations import publish_closed
from services.registry.succession import Plan
from services.registry.tables import mandate, station, suspension, unit

CLOSE_UNITS = Sql(
    update(unit)
    .where(or_(unit.c.valid_to.is_(None), unit.c.valid_to > bindparam("day")))
    .values(valid_to=bindparam("day"))
)
END = Sql(
    update(mandate)
    .where(mandate.c.id == bindparam("key"))
    .values(
        state="ended",
        state_since=bindparam("day"),
        active_to=bindparam("day"),
        end_reason="succession",
        remark=bindparam("why"),
        successor=bindparam("heir"),
        revision=mandate.c.revision + 1,
    )
    .returning(mandate)
)
CLOSE_STATIONS = Sql(
    update(station)
    .where(duties.lasts_beyond(station, bindparam("day")))
    .values(
        end_date=func.greatest(station.c.start_date, bindparam("day")),
        close_reason=bindparam("why"),
        revision=station.c.revision + 1,
    )
    .returning(station)
)


async def close(tx: WriteTx, vault: Vault, plan: Plan, estate: Estate, outcome: pb.SucceedDistrictResponse) -> None:
    """Raises Refusal CONCURRENT_CHANGE when the district has something else now than what was carried over."""
    await check_unchanged(tx, vault, plan.day, estate)
    left = {each.mandate for each in outcome.left}
    whose = [row.id for row in estate.mandates]
    await tx.execute(
        update(suspension)
        .where(among(suspension.c.mandate, whose, Uuid()), suspension.c.end_date.is_(None))
        .values(end_date=plan.day)
    )
    shared = {"day": plan.day, "why": plan.decision}
    for row in await tx.each(END, [shared | {"key": key, "heir": _heir(plan, key, left)} for key in whose]):
        mandates.publish_ended(tx, row)
    for table in duties.CHANGED:
        await duties.end(tx, table, among(table.c.mandate, whose, Uuid()), plan.day)
    for row in await tx.all(CLOSE_STATIONS, day=plan.day, why=plan.decision):
        publish_closed(tx, row)
    await tx.execute(CLOSE_UNITS, day=plan.day)


def _heir(plan: Plan, key: UUID, left: Container[str]) -> str | None:
    """What a mandate is in the successor; None where it was left behind."""
    name = f"mandates/{key}"
    return None if name in left else f"districts/{plan.new}/mandates/{plan.heir(name)}"
