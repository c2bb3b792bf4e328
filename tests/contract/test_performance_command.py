"""`qyt registry performance`: the performance record as a file, by the command."""

import csv
from datetime import date
from pathlib import Path

import openpyxl
import pytest

from tests.contract.acts import RECEPTION, delegates, record
from tests.contract.office import Office, in_days
from tests.probe.commands import Command, Outcome, run_commands


async def run(office: Office, folder: Path, *words: str, **settings: str) -> Outcome:
    """As the district's administrator, unless settings say otherwise."""
    platform = office.tenant.platform
    known = {
        "QYT_STATE": str(folder / "state"),
        "QYT_GATEWAY_URL": platform.gateway,
        "QYT_TOKEN": platform.token(["administrator"], office.district),
    }
    command = Command(["registry", "performance", *words], {**known, **settings})
    (outcome,) = await run_commands([command])
    return outcome


async def test_a_file_of_a_term_and_a_period(office: Office, tmp_path: Path) -> None:
    term, day = await office.term(), in_days(-1)
    (mandate,) = await delegates(office, term=term)
    for when in (day, in_days(-200)):
        await record(office, mandate, kind=RECEPTION, people_received=3, day=when)
    period = f"{in_days(-5)}..{in_days(0)}"
    as_csv, as_xlsx = tmp_path / "record.csv", tmp_path / "record.xlsx"
    for file in (as_csv, as_xlsx):
        outcome = await run(office, tmp_path, "--term", term, "--period", period, "--output", str(file))
        assert outcome.status == 0, outcome.output
    with as_csv.open(encoding="utf-8-sig", newline="") as opened:
        _, line = csv.reader(opened)
    assert line[:7] == ["王小明", "试验街道议事代表会议", "1", mandate, "1", "1", "3"]
    sheet = openpyxl.load_workbook(as_xlsx).worksheets[0]
    assert [str(sheet.cell(2, column).value) for column in range(1, 8)] == line[:7]


@pytest.mark.parametrize(("period", "times"), [("2024", 2), ("2024-02", 1), ("2024-12", 1), ("2025", 0)])
async def test_a_year_and_a_month(office: Office, tmp_path: Path, period: str, times: int) -> None:
    term = (await office.open_term(await office.assembly(), start="2024-01-01", end=in_days(400))).name
    mandate = await office.vetted(term)
    await office.confirm(mandate, date(2024, 1, 1))
    for day in (date(2024, 2, 29), date(2024, 12, 31)):
        await record(office, mandate, day=day)
    file = tmp_path / "record.csv"
    outcome = await run(office, tmp_path, "--by", "term", "--period", period, "--output", str(file))
    assert outcome.status == 0, outcome.output
    assert file.read_text(encoding="utf-8-sig").splitlines()[1].split(",")[4] == str(times)


async def test_a_fault_is_one_line_and_leaves_no_file(office: Office, tmp_path: Path) -> None:
    file = tmp_path / "record.csv"
    platform = office.tenant.platform
    clerk = platform.token(["clerk"], office.district)
    nothing = "assemblies/00000000-0000-7000-8000-000000000000/terms/1"
    cases: list[tuple[tuple[str, ...], dict[str, str], int, str]] = [
        (("--output", str(tmp_path / "record.ods")), {}, 2, "Error: Invalid value for --output"),
        (("--output", str(file), "--period", "9999"), {}, 2, "Error: Invalid value for '--period'"),
        (("--output", str(file), "--period", "2024-13"), {}, 2, "Error: Invalid value for '--period'"),
        (("--output", str(file), "--term", nothing), {}, 1, "Error: NOT_FOUND"),
        (("--output", str(file)), {"QYT_TOKEN": clerk}, 1, "Error: PERMISSION_DENIED"),
    ]
    for words, settings, status, says in cases:
        outcome = await run(office, tmp_path, *words, **settings)
        assert (outcome.status, says in outcome.output) == (status, True), outcome.output
        assert "Traceback" not in outcome.output
    assert not file.exists()
