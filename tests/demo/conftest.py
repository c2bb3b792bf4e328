"""What the tests of the demo share: the city's real units, and the secretariat (会务) of a fresh district."""

import csv
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence

import pytest

from chassis.wire import number
from quanyutong.registry.v1.units_pb2 import Unit, UnitKind
from services.registry.reference import FILES
from tests.conftest import Platforms, fresh_tenant
from tests.meetings.secretariat import Secretariat


@pytest.fixture(scope="session")
def units() -> Mapping[str, Sequence[Unit]]:
    """Those of each of the 38 districts."""
    found: dict[str, list[Unit]] = defaultdict(list)
    with (FILES / "units.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            unit = Unit(name=f"units/{row['code']}", display_name=row["name"], kind=number(UnitKind, row["kind"]))
            found[row["district"]].append(unit)
    return found


@pytest.fixture
async def secretariat(platforms: Platforms) -> AsyncIterator[Secretariat]:
    async with fresh_tenant(platforms, "all-gateway") as tenant:
        yield Secretariat(tenant)
