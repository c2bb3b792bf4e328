"""`qyt registry performance`: the performance record as a file."""

import re
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import click

from chassis import development
from chassis.commands import failing_clearly, run
from chassis.settings import Settings
from chassis.wire import date_message, word
from quanyutong.registry.v1 import performance_pb2 as pb
from quanyutong.registry.v1.registry_pb2_grpc import RegistryServiceStub
from services.registry.commands import with_stub

FORMATS = {".csv": pb.SHEET_FORMAT_CSV, ".xlsx": pb.SHEET_FORMAT_XLSX}
GROUPINGS: Mapping[str, Any] = {word(pb.Grouping, number): number for number in pb.Grouping.values() if number}
PERIOD = re.compile(r"(\d{4})(?:-(\d\d))?")


class Period(click.ParamType[tuple[date, date]]):
    """A year, a month, or two days with two dots between them, the second of which is the first day after."""

    name = "2026|2026-07|2026-01-01..2026-07-01"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[date, date]:
        try:
            first, _, after = value.partition("..")
            return (date.fromisoformat(first), date.fromisoformat(after)) if after else _whole(value)
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is no {self.name}", param, ctx)


def _whole(value: str) -> tuple[date, date]:
    """A year or a month. Raises ValueError."""
    found = PERIOD.fullmatch(value)
    if not found:
        raise ValueError
    first = date(int(found[1]), int(found[2] or 1), 1)
    longest = timedelta(days=31) if found[2] else timedelta(days=366)
    return first, (first + longest).replace(day=1)


@click.command()
@click.option("--term", default="", metavar="NAME", help="assemblies/ID/terms/N; without it the whole district")
@click.option("--period", type=Period(), help="without it from the beginning until today")
@click.option("--by", "grouping", type=click.Choice(list(GROUPINGS)), default="delegate", show_default=True)
@click.option("--output", required=True, type=click.Path(dir_okay=False, path_type=Path), help="FILE.xlsx or FILE.csv")
@click.option("--district", metavar="CODE", help="whose token to make in development, where QYT_TOKEN is not set")
@failing_clearly
def performance(term: str, period: tuple[date, date] | None, grouping: str, output: Path, district: str | None) -> None:
    """Write the performance record to a file. Needs a district's token with the role administrator."""
    if output.suffix not in FORMATS:
        raise click.BadParameter("a name that ends in .xlsx or .csv", param_hint="--output")
    start, end = period or (None, None)
    request = pb.ExportPerformanceRequest(
        grouping=GROUPINGS[grouping],
        term=term,
        start_date=date_message(start),
        end_date=date_message(end),
        format=FORMATS[output.suffix],
    )
    settings = Settings.load()
    metadata = [("authorization", f"Bearer {_token(settings, district)}")]
    content = bytearray()
    run(with_stub(settings, lambda stub, metadata: _receive(stub, request, metadata, content), metadata))
    output.write_bytes(content)
    click.echo(f"{output}: {len(content):,} bytes")


def _token(settings: Settings, district: str | None) -> str:
    if settings.token:
        return settings.token.get_secret_value()
    if district is None:
        raise click.UsageError("set QYT_TOKEN or, in development, name a --district")
    return development.token(settings, "qyt-registry", ["administrator"], district)


async def _receive(
    stub: RegistryServiceStub, request: pb.ExportPerformanceRequest, metadata: list[tuple[str, str]], into: bytearray
) -> None:
    """Whole or not at all: what is written to a file later is a file."""
    async for part in stub.ExportPerformance(request, metadata=metadata, timeout=120):
        into += part.data
