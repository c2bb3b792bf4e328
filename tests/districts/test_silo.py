"""Two districts in a database of their own on another server, from their first day; the others in the pool."""

import json
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest

from chassis.embedded import EmbeddedPostgres
from chassis.embedded.ports import free_port
from quanyutong.registry.v1 import districts_pb2, persons_pb2, units_pb2
from tests.districts.city import office_of
from tests.embedded.outside import value
from tests.harness import CODES, Platform, platform, reason, until
from tests.probe.tally.servicer import tally_pb2, tally_pb2_grpc

SHIPPED, MADE = "500102", str(next(CODES))
ROWS = "SELECT count(*) FROM {} WHERE district = '{}'"
Silo = tuple[Platform, EmbeddedPostgres]


@pytest.fixture(scope="module")
async def placed(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Silo]:
    folder = tmp_path_factory.mktemp("silo")
    services = f"127.0.0.1:{free_port()}"
    known: dict[str, Any] = {"listen": services, "registry_address": services, "tally_address": services}
    async with EmbeddedPostgres(folder / "own", settings={"fsync": "off"}) as own:
        silos = json.dumps(dict.fromkeys((SHIPPED, MADE), own.url))
        async with platform("probed", folder, program="tests.probe", silos=silos, **known) as city:
            yield city, own


async def rows(server: EmbeddedPostgres, table: str, district: str) -> int:
    found = await value(server.url, ROWS.format(table, district))
    assert isinstance(found, int)
    return found


async def tally_of(city: Platform, district: str) -> Any:
    async with grpc.aio.insecure_channel(city.direct) as channel:
        tallies = tally_pb2_grpc.TallyServiceStub(channel)
        return await tallies.GetTally(tally_pb2.GetTallyRequest(), metadata=city.metadata(["viewer"], district))


async def seats_a_delegate(city: Platform, district: str, number: int) -> None:
    """Three events: an assembly, a term, a mandate; applied by another service, in the district's own database."""
    before = (await tally_of(city, district)).confirmed
    async with office_of(city, district) as office:
        await office.active(await office.term(await office.assembly(await office.unit(number))))

    async def counted() -> bool:
        return bool((await tally_of(city, district)).confirmed == before + 1)

    await until(counted)


async def test_a_shipped_district_begins_in_its_own(placed: Silo) -> None:
    city, own = placed
    async with office_of(city, SHIPPED) as office:
        units = await office.call("ListUnits", units_pb2.ListUnitsRequest(page_size=500))
    assert len(units.units) == await rows(own, "registry.unit", SHIPPED) > 20
    assert await rows(city.postgres, "registry.unit", SHIPPED) == 0
    assert await rows(city.postgres, "registry.unit", "500103") > 10
    assert await rows(own, "registry.unit", "500103") == 0


async def test_the_directory_is_the_citys(placed: Silo) -> None:
    """Of a district that is created for its silo, too."""
    city, own = placed
    async with office_of(city, MADE) as office:
        district = districts_pb2.District(name=f"districts/{MADE}", display_name="新区")
        await office.operate("CreateDistrict", districts_pb2.CreateDistrictRequest(district=district))
        listed = await office.operate("ListDistricts", districts_pb2.ListDistrictsRequest(page_size=500))
        assert {district.name, f"districts/{SHIPPED}"} < {entry.name for entry in listed.districts}

        async def known() -> bool:
            try:
                await office.call("ListUnits", units_pb2.ListUnitsRequest())
            except grpc.aio.AioRpcError:
                return False
            return True

        await until(known)
        await office.person("新区的人")
    assert (await rows(own, "registry.person", MADE), await rows(city.postgres, "registry.person", MADE)) == (1, 0)


@pytest.mark.parametrize("district", [SHIPPED, "500103"])
async def test_events_and_their_effects_stay_with_the_district(placed: Silo, district: str) -> None:
    city, own = placed
    await seats_a_delegate(city, district, 901)
    here, there = (own, city.postgres) if district == SHIPPED else (city.postgres, own)
    for table in ("registry.mandate", "tally.tally", "tally.inbox"):
        assert await rows(here, table, district) > 0, table
        assert await rows(there, table, district) == 0, table


async def test_a_lost_silo_is_its_districts_alone(placed: Silo) -> None:
    city, own = placed
    own.kill()
    try:
        async with office_of(city, SHIPPED) as office:

            async def lost() -> bool:
                """What the killed server had begun, it may still answer."""
                try:
                    await office.call("ListPersons", persons_pb2.ListPersonsRequest())
                except grpc.aio.AioRpcError as error:
                    return reason(error) == "ERROR_REASON_SERVICE_UNAVAILABLE"
                return False

            await until(lost)
        await seats_a_delegate(city, "500103", 902)
    finally:
        await own.start()
    await seats_a_delegate(city, SHIPPED, 903)
