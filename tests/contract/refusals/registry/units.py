"""Units of the district."""

from quanyutong.registry.v1 import units_pb2
from tests.contract.office import Office
from tests.contract.refusals import refused_with


@refused_with("UNIT_NOT_FOUND")
async def unit_of_another_district(office: Office) -> None:
    await office.call("GetUnit", units_pb2.GetUnitRequest(name="units/500102001"))


@refused_with("UNIT_EXISTS")
async def unit_twice(office: Office) -> None:
    await office.unit()
    await office.unit()


@refused_with("UNIT_OF_OTHER_DISTRICT")
async def unit_with_another_districts_code(office: Office) -> None:
    unit = units_pb2.Unit(name="units/500102999", display_name="试验街道", kind=units_pb2.UNIT_KIND_SUBDISTRICT)
    await office.call("CreateUnit", units_pb2.CreateUnitRequest(unit=unit))
