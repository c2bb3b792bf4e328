"""`qyt registry import` and `qyt registry template`: lists in CSV and XLSX, through the public API."""

import csv
import sys
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import click
import grpc

from chassis import client, development, whereabouts
from chassis.commands import failing_clearly, run
from chassis.faults import OperatorFault
from chassis.settings import Settings, SettingsInvalid
from chassis.wire import date_message
from quanyutong.registry.v1 import imports_pb2 as pb
from quanyutong.registry.v1 import registry_pb2, units_pb2
from quanyutong.registry.v1.registry_pb2_grpc import RegistryServiceStub
from services.registry import spreadsheet
from services.registry.import_reading import Reading, reading
from services.registry.import_template import write_template
from services.registry.spreadsheet import Line

SERVICE = registry_pb2.DESCRIPTOR.services_by_name["RegistryService"]
BATCH = 200
# Seconds for 20,000 rows; the usual deadline is for a single entry.
PATIENCE = 300.0
SHOWN = 200
Metadata = list[tuple[str, str]]


@dataclass(frozen=True)
class Options:
    """What the command was told."""

    district: str | None
    term: str
    recommender: str
    active_from: datetime | None
    dry_run: bool
    partial: bool
    rejected: Path | None


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--term", default="", metavar="NAME", help="assemblies/…/terms/N of rows that name no unit or term")
@click.option("--recommender", default="", help="of rows that say none")
@click.option("--active-from", type=click.DateTime(["%Y-%m-%d"]), help="first day in force of rows that say none")
@click.option("--dry-run", is_flag=True, help="judge everything and enter nothing")
@click.option("--partial", is_flag=True, help="enter the rows without fault though others have some")
@click.option("--rejected", type=click.Path(dir_okay=False, path_type=Path), help="write the faulty rows to this CSV")
@click.option("--district", metavar="CODE", help="for a development token, where QYT_TOKEN is not set")
@failing_clearly
def import_(file: Path, **given: Any) -> None:
    """Import delegates from FILE, .csv or .xlsx, as `qyt registry template` has it.

    All rows are entered or none. The same file a second time changes nothing.
    """
    options = Options(**given)
    lines = spreadsheet.read(file)
    answer = run(_import(lines, options))
    _report(answer)
    if options.rejected and answer.faults:
        _write_rejected(options.rejected, lines, answer.faults)
    if answer.faults and not (options.partial and answer.entered):
        raise click.exceptions.Exit(1)


@click.command()
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), default=Path("import.xlsx"), show_default=True
)
@failing_clearly
def template(output: Path) -> None:
    """Write an empty list to fill in, .xlsx with notes and choices or .csv with the headings."""
    if output.suffix.lower() not in (".csv", ".xlsx"):
        raise click.BadParameter("the name ends with .csv or .xlsx", param_hint="--output")
    write_template(output)
    click.echo(str(output))


async def _import(lines: Sequence[Line], options: Options) -> pb.ImportMandatesResponse:
    settings = Settings.load()
    gateway = settings.gateway_url or whereabouts.find(settings, "gateway")
    if gateway is None:
        raise SettingsInvalid("no platform runs here; set QYT_GATEWAY_URL to where its gateway is")
    url = urlsplit(gateway)
    secure = grpc.ssl_channel_credentials() if url.scheme == "https" else None
    async with client.channel(url.netloc, [SERVICE], secure, deadline=PATIENCE) as channel:
        try:
            return await _exchange(RegistryServiceStub(channel), _metadata(settings, options), lines, options)
        except grpc.aio.AioRpcError as error:
            raise OperatorFault(f"{error.code().name}: {error.details()}") from None


def _metadata(settings: Settings, options: Options) -> Metadata:
    token = settings.token.get_secret_value() if settings.token else None
    token = token or development.token(settings, "qyt-import", ["examiner"], options.district)
    return [("authorization", f"Bearer {token}")]


async def _exchange(
    stub: Any, metadata: Metadata, lines: Sequence[Line], options: Options
) -> pb.ImportMandatesResponse:
    """One call; a second one when all was refused, since a refusal has no room for every fault."""
    table = reading(lines, await _units(stub, metadata))
    judge_only = options.dry_run or bool(table.faults and not (options.partial and not table.missing))
    try:
        answer = await _send(stub, metadata, table, options, judge_only)
    except grpc.aio.AioRpcError as error:
        if judge_only or error.code() is not grpc.StatusCode.INVALID_ARGUMENT:
            raise
        answer = await _send(stub, metadata, table, options, validate_only=True)
    told = [fault for fault in answer.faults if fault.field not in table.missing]
    del answer.faults[:]
    answer.faults.extend([*table.faults, *told])
    return answer


async def _units(stub: Any, metadata: Metadata) -> dict[str, str]:
    """Code of each unit by its name; a name that two units have is nobody's."""
    codes: dict[str, str] = {}
    names: Counter[str] = Counter()
    token = ""
    while True:
        page = await stub.ListUnits(units_pb2.ListUnitsRequest(page_size=500, page_token=token), metadata=metadata)
        for unit in page.units:
            codes[unit.display_name] = unit.name.removeprefix("units/")
            names[unit.display_name] += 1
        if not (token := page.next_page_token):
            return {name: code for name, code in codes.items() if names[name] == 1}


async def _send(
    stub: Any, metadata: Metadata, table: Reading, options: Options, validate_only: bool
) -> pb.ImportMandatesResponse:
    opening = pb.ImportMandatesRequest.Opening(
        term=options.term,
        recommender=options.recommender,
        active_from=date_message(options.active_from.date()) if options.active_from else None,
        validate_only=validate_only,
        partial=options.partial,
        request_id=str(uuid4()),
    )
    label = "judging" if validate_only else "importing"
    with click.progressbar(length=len(table.rows), label=label, file=sys.stderr) as bar:

        async def parts() -> AsyncIterator[pb.ImportMandatesRequest]:
            yield pb.ImportMandatesRequest(opening=opening)
            for start in range(0, len(table.rows), BATCH):
                batch = table.rows[start : start + BATCH]
                yield pb.ImportMandatesRequest(batch=pb.ImportMandatesRequest.Batch(rows=batch))
                bar.update(len(batch))

        answer: pb.ImportMandatesResponse = await stub.ImportMandates(parts(), metadata=metadata)
        return answer


def _report(answer: pb.ImportMandatesResponse) -> None:
    done = "已导入 imported" if answer.entered else "未导入 nothing imported"
    for fault in answer.faults[:SHOWN]:
        click.echo(f"第 {fault.row} 行 row {fault.row}\t{fault.field}\t{fault.text_zh} / {fault.text_en}")
    if len(answer.faults) > SHOWN:
        click.echo(f"… {len(answer.faults) - SHOWN} more; --rejected FILE has all of them")
    click.echo(
        f"{done}: 新增 new {answer.added}, 更正 changed {answer.changed}, "
        f"不变 unchanged {answer.unchanged}, 有误 refused {answer.refused}"
    )


def _write_rejected(path: Path, lines: Sequence[Line], faults: Sequence[pb.RowFault]) -> None:
    """The faulty rows as they were, behind what is wrong with each: to correct, and to import again."""
    of_row = defaultdict(list)
    for fault in faults:
        of_row[fault.row].append(f"{fault.field}: {fault.text_zh} / {fault.text_en}")
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        path.chmod(0o600)
        writer = csv.writer(file)
        for place, line in enumerate(lines):
            if place == 0:
                writer.writerow(["序号", "备注", *map(_text, line.cells)])
            elif line.number in of_row:
                writer.writerow([line.number, "; ".join(of_row[line.number]), *map(_text, line.cells)])


def _text(cell: spreadsheet.Cell) -> str:
    """A spreadsheet program must not take a text for a formula."""
    text = "" if cell is None else str(cell)
    return f"'{text}" if text[:1] in "=+-@" and text else text
