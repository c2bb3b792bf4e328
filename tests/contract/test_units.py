"""Units (乡镇/街道) of a district."""

from quanyutong.registry.v1 import units_pb2 as pb
from tests.contract.office import SUBDISTRICT, TOWN, Office, in_days, on
from tests.harness import refused


async def test_unit_is_read_as_it_was_entered(office: Office) -> None:
    name = await office.unit(7, TOWN, valid_from=on("2020-02-29"))
    read = await office.call("GetUnit", pb.GetUnitRequest(name=name))
    expected = pb.Unit(name=name, display_name="试验街道", kind=TOWN, valid_from=on("2020-02-29"))
    assert read == expected


async def test_list_is_by_code_and_narrows_by_kind_and_day(office: Office) -> None:
    later = await office.unit(9, TOWN, valid_from=on(in_days(30)))
    town, subdistrict = await office.unit(3, TOWN), await office.unit(1)

    async def names(**filters: object) -> list[str]:
        answer = await office.call("ListUnits", pb.ListUnitsRequest(**filters))  # type: ignore[arg-type]
        return [unit.name for unit in answer.units]

    assert await names() == [subdistrict, town]
    assert await names(kind=SUBDISTRICT) == [subdistrict]
    assert await names(kind=TOWN, as_of=on(in_days(29))) == [town]
    assert await names(kind=TOWN, as_of=on(in_days(30))) == [town, later]


async def test_shipped_units_are_the_districts_own(office: Office) -> None:
    """涪陵区 has 白涛街道 among its units, with its real code; a new district has none."""
    assert not (await office.call("ListUnits", pb.ListUnitsRequest())).units
    fuling = office.tenant.platform.metadata(["viewer"], "500102")
    found = await office.registry.ListUnits(pb.ListUnitsRequest(page_size=500), metadata=fuling)
    assert "白涛街道" in {unit.display_name for unit in found.units}
    assert all(unit.name.startswith("units/500102") for unit in found.units)


async def test_day_that_is_not_in_the_calendar(office: Office) -> None:
    for year, month, day in ((2023, 2, 29), (0, 1, 1), (10_000, 1, 1), (2024, 0, 0), (-1, 1, 1)):
        request = pb.ListUnitsRequest()
        request.as_of.year, request.as_of.month, request.as_of.day = year, month, day
        assert await refused(office.call("ListUnits", request)) == "ERROR_REASON_FIELD_INVALID"
