"""`qyt districts succeed`: one district takes over from another, rehearsed first, through the public API."""

import asyncio
import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import uuid4

import click
import grpc
from google.rpc import error_details_pb2, status_pb2

from chassis import development
from chassis.commands import failing_clearly, run
from chassis.faults import OperatorFault
from chassis.settings import Settings
from chassis.wire import date_message
from quanyutong.registry.v1 import districts_pb2
from quanyutong.registry.v1 import succession_pb2 as pb
from quanyutong.registry.v1.registry_pb2_grpc import RegistryServiceStub
from services.registry.commands import with_stub

Metadata = list[tuple[str, str]]
HEADINGS = ["predecessor", "successor"]
# Seconds that a large district takes, and those after which no call is under way in a suspended one.
PATIENCE = 600.0
STILL = 5.0


@dataclass(frozen=True)
class Work:
    """What the operator asked for."""

    request: pb.SucceedDistrictRequest
    rehearsal: bool

    async def done(self, stub: RegistryServiceStub, metadata: Metadata) -> None:
        self.request.validate_only = True
        _report(await _call(stub, metadata, self.request), "可承继 to be carried over")
        if self.rehearsal:
            return
        await _stop(stub, metadata, self.request)
        self.request.validate_only = False
        self.request.request_id = str(uuid4())
        outcome = await _call(stub, metadata, self.request)
        _report(outcome, "已承继 carried over")
        click.echo(f"{self.request.name}\t{outcome.district.display_name}\tnow {outcome.district.successor}")


@click.command()
@click.argument("code")
@click.argument("successor")
@click.option(
    "--on",
    "day",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DAY",
    required=True,
    help="first day without the district",
)
@click.option(
    "--units",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="CSV with the columns predecessor and successor, nine digits each; every unit of the district once",
)
@click.option("--decision", required=True, help="who decided it, and when; kept in both districts")
@click.option("--dry-run", is_flag=True, help="say what would be carried over; DAY may be to come")
@failing_clearly
def succeed(code: str, successor: str, day: datetime, units: Path | None, decision: str, dry_run: bool) -> None:
    """Have another district take over: CODE ends on a day, SUCCESSOR has from then on what is in force there.

    It is rehearsed first, then the district is suspended, then done. Broken off, it is completed by the same command.
    """
    request = pb.SucceedDistrictRequest(
        name=f"districts/{code}",
        successor=f"districts/{successor}",
        effective_date=date_message(day.date()),
        units=_codes(units) if units else (),
        decision=decision,
    )
    settings = Settings.load()
    given = settings.token.get_secret_value() if settings.token else None
    token = given or development.token(settings, "qyt-districts", ["operator"])
    run(with_stub(settings, Work(request, dry_run).done, [("authorization", f"Bearer {token}")], PATIENCE))


def _codes(path: Path) -> list[pb.UnitSuccession]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        if not set(HEADINGS) <= set(rows.fieldnames or ()):
            raise OperatorFault(f"{path} needs the columns {', '.join(HEADINGS)}")
        return [pb.UnitSuccession(**{side: f"units/{(row[side] or '').strip()}" for side in HEADINGS}) for row in rows]


async def _stop(stub: RegistryServiceStub, metadata: Metadata, request: pb.SucceedDistrictRequest) -> None:
    """Suspends the district unless it is; waits for the calls that are under way."""
    entry = await stub.GetDistrict(districts_pb2.GetDistrictRequest(name=request.name), metadata=metadata)
    if entry.suspended or entry.successor:
        return
    suspension = districts_pb2.SuspendDistrictRequest(
        name=request.name, reason=request.decision, request_id=str(uuid4())
    )
    await stub.SuspendDistrict(suspension, metadata=metadata)
    click.echo(f"{request.name}\t已暂停 suspended; if this fails now, repeat it, or `qyt districts resume`")
    await asyncio.sleep(STILL)


async def _call(
    stub: RegistryServiceStub, metadata: Metadata, request: pb.SucceedDistrictRequest
) -> pb.SucceedDistrictResponse:
    try:
        outcome: pb.SucceedDistrictResponse = await stub.SucceedDistrict(request, metadata=metadata)
    except grpc.aio.AioRpcError as error:
        for each in _violations(error):
            click.echo(f"{each.field}\t{each.reason}\t{each.description}", err=True)
        raise
    return outcome


def _violations(error: grpc.aio.AioRpcError) -> Sequence[error_details_pb2.BadRequest.FieldViolation]:
    bad = error_details_pb2.BadRequest()
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin" and isinstance(value, bytes):
            for detail in status_pb2.Status.FromString(value).details:
                detail.Unpack(bad)
    return list(bad.field_violations)


def _report(outcome: pb.SucceedDistrictResponse, heading: str) -> None:
    counts = ", ".join(f"{field.name} {value}" for field, value in outcome.carried_over.ListFields())
    click.echo(f"{heading}: {counts or 'nothing'}")
    for each in outcome.left:
        reason = pb.LeftReason.Name(each.reason).removeprefix("LEFT_REASON_").lower()
        click.echo(f"{each.mandate}\t未承继 left behind\t{reason}")
