"""Waits until nothing is under way for a district that is not called any more."""

import asyncio
import time
from collections.abc import Sequence

import asyncpg

from chassis.bus import Bus, stream_of
from chassis.faults import OperatorFault
from chassis.manifest import Manifest, package_of
from chassis.moving.databases import connected, owning
from chassis.moving.exporting import where
from chassis.settings import Settings

# Seconds; events and seals take a few, where the platform runs.
WITHIN = 60.0
AGAIN = 0.5
UNDELIVERED = "SELECT EXISTS (SELECT FROM outbox WHERE district = $1)"
# A seal that is made after the export would be made once more from the copy, and the two would differ.
UNSEALED = """
    WITH last AS (SELECT last_txid, last_id FROM audit_seal WHERE district = $1 ORDER BY number DESC LIMIT 1)
    SELECT EXISTS (SELECT FROM audit WHERE district = $1
                   AND NOT EXISTS (SELECT FROM last WHERE (txid, id) <= (last_txid, last_id)))"""


class NotSettled(OperatorFault):
    """Something is still to be done for the district, and nobody does it."""


async def settle(
    manifests: Sequence[Manifest], settings: Settings, district: str, *, in_pool: bool = False, sealed: bool = True
) -> None:
    """Returns when its events are delivered and heard and, if `sealed`, its audit is. Raises NotSettled.

    What a service hears it may tell on: so all of them are asked until none has anything left.
    """
    deadline = time.monotonic() + WITHIN
    bus = await connected(settings)
    try:
        while left := await _left_in_any(bus, manifests, settings, district, in_pool, sealed):
            if time.monotonic() > deadline:
                raise NotSettled(f"{left} of {district}: does the platform run, with its NATS?")
            await asyncio.sleep(AGAIN)
    finally:
        await bus.close()


async def _left_in_any(
    bus: Bus, manifests: Sequence[Manifest], settings: Settings, district: str, in_pool: bool, sealed: bool
) -> str:
    for manifest in manifests:
        place = where(settings, manifest, district, in_pool)
        if left := await _left(place.settings, manifest.name, district, sealed):
            return f"{manifest.name} has {left}"
    for manifest in manifests:
        own = district if where(settings, manifest, district, in_pool).districts else ""
        packages = {package_of(event.DESCRIPTOR.full_name) for event in manifest.consumes}
        if not all([await bus.has_heard(manifest.name, stream_of(package), own) for package in sorted(packages)]):
            return f"{manifest.name} has not heard all events"
    return ""


async def _left(settings: Settings, service: str, district: str, sealed: bool) -> str:
    async with owning(settings, service, district, readonly=True) as connection:
        if await connection.fetchval(UNDELIVERED, district):
            return "events that are not delivered"
        if sealed and await _has_audit(connection) and await connection.fetchval(UNSEALED, district):
            return "audit records that are not sealed"
    return ""


async def _has_audit(connection: asyncpg.Connection) -> bool:
    return await connection.fetchval("SELECT to_regclass('audit_seal')") is not None
