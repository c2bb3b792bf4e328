"""Succession of districts (区县合并): one ends on a day, another one takes over what is in force there.

Its parts are transactions of their own, for one district each, in whichever databases the two are: the ending district
is read, everything is entered in its successor, the ending district is closed, and at last its entry in the directory.
Each part can be done again without another effect, so the same request completes what broke off. From the first to the
last part the entry is held locked and the district is suspended: nothing changes there meanwhile.
"""

from contextlib import suppress
from datetime import date
from hashlib import sha256
from typing import Any

import grpc
from sqlalchemy import bindparam, select, text
from sqlalchemy.dialects.postgresql import insert

from chassis import clock, tenancy
from chassis.database import Database, ReadTx, Row, WriteTx
from chassis.sql import Sql
from chassis.vault import Vault
from chassis.wire import date_message, read_date
from quanyutong.registry.v1 import events_pb2
from quanyutong.registry.v1 import succession_pb2 as pb
from services.registry import districts, domain, succession
from services.registry.closing import close
from services.registry.estate import Estate, check_unchanged, days_entered, read_estate
from services.registry.handing_over import hand_over
from services.registry.succession import Plan
from services.registry.tables import district
from services.registry.tables import succession as records

Context = grpc.aio.ServicerContext[Any, Any]
# One at a time in the whole city: nobody takes over who is taken over meanwhile.
ALONE = Sql(text("SELECT pg_advisory_xact_lock(hashtextextended('succession', 0))"))
# Of the kind that lets rows go on referring to the entry.
HOLD = Sql(select(district).where(district.c.code == bindparam("code")).with_for_update(key_share=True))
RECORDED = Sql(select(records).where(records.c.predecessor == bindparam("old")))
RECORD = Sql(
    insert(records).on_conflict_do_nothing().returning(records.c.predecessor),
    columns=("predecessor", "successor", "effective_date", "decision", "digest", "outcome"),
)


class Rehearsed(Exception):
    """Everything went well, and none of it is to stay."""


class Successions:
    _database: Database
    _vault: Vault

    async def SucceedDistrict(self, request: pb.SucceedDistrictRequest, _: Context) -> pb.SucceedDistrictResponse:
        plan = _plan(request)
        succession.check_parties(plan.old, plan.new)
        with tenancy.acting_for(plan.old):
            async with self._database.write_city() as tx:
                entry = await _held(tx, plan)
                outcome = await self._recorded(plan)
                if outcome is None:
                    outcome = await self._succeed(plan, entry, await _successor(tx, plan), request.validate_only)
                if not entry.successor and not request.validate_only:
                    entry = await districts.end(tx, entry, plan.day, plan.new)
                outcome.district.CopyFrom(districts.message(entry))
                return tx.reply(outcome)

    async def _recorded(self, plan: Plan) -> pb.SucceedDistrictResponse | None:
        """What came of it, once the ending district is closed."""
        async with self._database.read() as tx:
            return await _record(tx, plan)

    async def _succeed(self, plan: Plan, old: Row, new: Row, rehearsal: bool) -> pb.SucceedDistrictResponse:
        async with self._database.read() as tx:
            estate = await read_estate(tx, self._vault, plan.day)
            entered = await days_entered(tx)
        begun = [entry.valid_from for entry in (old, new)]
        succession.check_day(plan.day, [*entered, *begun], date.max if rehearsal else clock.today())
        if not rehearsal:
            succession.check_stopped(plan.old, old.suspended)
        outcome = await self._hand_over(plan, estate, rehearsal)
        if not rehearsal:
            await self._close(plan, estate, outcome)
        return outcome

    async def _hand_over(self, plan: Plan, estate: Estate, rehearsal: bool) -> pb.SucceedDistrictResponse:
        """The first step that stays: in the successor, everything or nothing."""
        outcome = pb.SucceedDistrictResponse()
        with tenancy.acting_for(plan.new), suppress(Rehearsed):
            async with self._database.write_part() as tx:
                before = await _record(tx, plan)
                outcome = await hand_over(tx, self._vault, plan, estate)
                if rehearsal:
                    raise Rehearsed
                await self._check_unchanged(plan, estate)
                # What it first came to is what is told of it, whoever was moved or joined since.
                outcome = before or outcome
                await _keep(tx, plan, outcome)
        return outcome

    async def _check_unchanged(self, plan: Plan, estate: Estate) -> None:
        """A call that was under way when the district was suspended may have written late."""
        with tenancy.acting_for(plan.old):
            async with self._database.read() as tx:
                await check_unchanged(tx, self._vault, plan.day, estate)

    async def _close(self, plan: Plan, estate: Estate, outcome: pb.SucceedDistrictResponse) -> None:
        async with self._database.write_part() as tx:
            await close(tx, self._vault, plan, estate, outcome)
            await _keep(tx, plan, outcome)


def _plan(request: pb.SucceedDistrictRequest) -> Plan:
    day = read_date(request, "effective_date")
    assert day is not None  # noqa: S101 - a field rule demands it
    decided = pb.SucceedDistrictRequest()
    decided.CopyFrom(request)
    for field in ("request_id", "validate_only", "units"):
        decided.ClearField(field)
    units = sorted(request.units, key=lambda each: each.predecessor)
    decided.units.extend(units)
    return Plan(
        old=request.name.removeprefix("districts/"),
        new=request.successor.removeprefix("districts/"),
        day=day,
        pairs=[
            (each.predecessor.removeprefix("units/"), each.successor.removeprefix("units/")) for each in request.units
        ],
        decision=request.decision,
        digest=sha256(decided.SerializeToString(deterministic=True)).digest(),
    )


async def _held(tx: WriteTx, plan: Plan) -> Row:
    """The ending district's entry, which nobody changes meanwhile. Raises Refused DISTRICT_NOT_FOUND, _SUCCEEDED."""
    await tx.execute(ALONE)
    row = await tx.first(HOLD, code=plan.old)
    if row is None:
        raise domain.Refused("DISTRICT_NOT_FOUND", district=plan.old)
    if row.successor:
        succession.check_same_succession(plan, row.successor, row.valid_to)
    return row


async def _successor(tx: ReadTx, plan: Plan) -> Row:
    row = await districts.load_district(tx, plan.new)
    ended = row.valid_to is not None and row.valid_to <= max(plan.day, clock.today())
    succession.check_successor(plan.new, row.suspended, ended)
    return row


async def _record(tx: ReadTx, plan: Plan) -> pb.SucceedDistrictResponse | None:
    """Raises Refused SUCCESSION_DIFFERS when it was begun by another decision."""
    row = await tx.first(RECORDED, old=plan.old)
    if row is None:
        return None
    succession.check_begun(plan, row.digest, row.effective_date)
    return pb.SucceedDistrictResponse.FromString(row.outcome)


async def _keep(tx: WriteTx, plan: Plan, outcome: pb.SucceedDistrictResponse) -> None:
    """The record of it, in each of the two districts, and the word to whoever keeps something for one of them."""
    new = await tx.first(
        RECORD,
        predecessor=plan.old,
        successor=plan.new,
        effective_date=plan.day,
        decision=plan.decision,
        digest=plan.digest,
        outcome=outcome.SerializeToString(),
    )
    told = events_pb2.DistrictSucceeded(
        predecessor=f"districts/{plan.old}",
        successor=f"districts/{plan.new}",
        effective_date=date_message(plan.day),
    )
    if new:
        tx.publish(told, told.predecessor)
