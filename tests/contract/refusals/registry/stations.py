"""Stations, and who is there when."""

from quanyutong.registry.v1 import stations_pb2
from tests.contract.office import NOBODY, STATION, Office, in_days
from tests.contract.refusals import refused_with


@refused_with("STATION_NOT_FOUND")
async def station_that_is_not_there(office: Office) -> None:
    await office.call("GetStation", stations_pb2.GetStationRequest(name=f"stations/{NOBODY}"))


@refused_with("STATION_NOT_FOUND")
async def station_of_no_house(office: Office) -> None:
    await office.station(kind=STATION, belongs_to=f"stations/{NOBODY}")


@refused_with("STATION_NOT_FOUND")
async def rota_of_no_station(office: Office) -> None:
    await office.assigned(f"stations/{NOBODY}", await office.delegate())


@refused_with("STATION_PARENT_REFUSED")
async def house_below_a_house(office: Office) -> None:
    unit = await office.unit()
    await office.station(unit, belongs_to=await office.station(unit))


@refused_with("STATION_CLOSED")
async def closing_twice(office: Office) -> None:
    house = await office.station()
    await office.close_station(house)
    await office.close_station(house)


@refused_with("STATION_CLOSED")
async def rota_of_a_closed_station(office: Office) -> None:
    house = await office.station(await office.unit(2))
    await office.close_station(house)
    await office.assigned(house, await office.delegate(), in_days(-5))


@refused_with("STATION_IN_USE")
async def closing_under_what_belongs_to_it(office: Office) -> None:
    unit = await office.unit()
    house = await office.station(unit)
    await office.station(unit, STATION, belongs_to=house)
    await office.close_station(house)


@refused_with("DUTY_NOT_FOUND")
async def release_from_no_rota(office: Office) -> None:
    await office.release(f"rotaEntries/{NOBODY}")


@refused_with("DUTY_EXISTS")
async def assignment_twice(office: Office) -> None:
    house, delegate = await office.station(await office.unit(2)), await office.delegate()
    await office.assigned(house, delegate)
    await office.assigned(house, delegate)


@refused_with("DUTY_DATE_REFUSED")
async def assignment_before_the_mandate(office: Office) -> None:
    await office.assigned(await office.station(await office.unit(2)), await office.delegate(), in_days(-301))


@refused_with("DUTY_DATE_REFUSED")
async def closing_before_the_opening(office: Office) -> None:
    await office.close_station(await office.station(), in_days(-401))


@refused_with("UNIT_NOT_FOUND")
async def station_in_another_district(office: Office) -> None:
    await office.station("units/500102001")
