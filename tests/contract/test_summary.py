"""Counts over a district's register."""

from datetime import date

from quanyutong.registry.v1 import mandates_pb2, oversight_pb2, persons_pb2
from quanyutong.registry.v1 import summary_pb2 as pb
from tests.contract.office import (
    CONGRESS,
    DEPUTY,
    HOUSE,
    LIAISON_POINT,
    RESIDENT,
    STATION,
    SUBDISTRICT_ASSEMBLY,
    Office,
    Row,
    in_days,
    new_people,
    on,
)


async def summary(office: Office, day: date | None = None) -> pb.Summary:
    request = pb.GetSummaryRequest(as_of=on(day) if day else None)
    counted: pb.Summary = await office.call("GetSummary", request)
    return counted


async def test_nothing_yet(office: Office) -> None:
    counted = await summary(office)
    assert (counted.district, counted.as_of, len(counted.assemblies)) == (
        f"districts/{office.district}",
        on(in_days(0)),
        0,
    )


async def test_delegates_by_kind_and_capacity(office: Office) -> None:
    term, congress = await office.term(), await office.term(await office.congress())
    await office.register(term, new_people(2, gender=persons_pb2.GENDER_FEMALE))
    await office.register(term, new_people(1, occupation=persons_pb2.OCCUPATION_COMMUNITY_WORKER))
    deputy = Row(person=await office.person(), capacity=DEPUTY)
    await office.register(term, [deputy])
    await office.register(congress, [deputy])
    await office.vetted(term)
    assert list((await summary(office)).assemblies) == [
        pb.AssemblyCount(
            kind=CONGRESS,
            assemblies=1,
            delegates=1,
            capacities=[pb.CapacityCount(capacity=DEPUTY, delegates=1)],
        ),
        pb.AssemblyCount(
            kind=SUBDISTRICT_ASSEMBLY,
            assemblies=1,
            delegates=4,
            women=2,
            community_workers=1,
            capacities=[
                pb.CapacityCount(capacity=DEPUTY, delegates=1),
                pb.CapacityCount(capacity=RESIDENT, delegates=3),
            ],
        ),
    ]


async def test_delegates_of_a_day(office: Office) -> None:
    term = await office.term()
    (name,) = (await office.register(term, new_people(1), in_days(-20))).mandates
    end = mandates_pb2.EndMandateRequest(
        name=name, reason=mandates_pb2.END_REASON_RESIGNATION, active_to=on(in_days(-10))
    )
    await office.call("EndMandate", end)
    by_day = {days: (await summary(office, in_days(days))).assemblies[0].delegates for days in (-21, -20, -11, -10, 0)}
    assert by_day == {-21: 0, -20: 1, -11: 1, -10: 0, 0: 0}


async def test_stations_of_a_day_by_kind(office: Office) -> None:
    unit = await office.unit()
    house = await office.station(unit, start_date=on(in_days(-50)))
    stations = [await office.station(unit, STATION, belongs_to=house, start_date=on(in_days(-40))) for _ in range(2)]
    await office.station(unit, LIAISON_POINT, belongs_to=stations[1], start_date=on(in_days(-30)))
    await office.close_station(stations[0], in_days(-20))

    async def counted(days: int) -> dict[int, int]:
        return {count.kind: count.stations for count in (await summary(office, in_days(days))).stations}

    by_day = {days: await counted(days) for days in (-51, -50, -40, -30, -20)}
    assert by_day == {
        -51: {},
        -50: {HOUSE: 1},
        -40: {HOUSE: 1, STATION: 2},
        -30: {HOUSE: 1, STATION: 2, LIAISON_POINT: 1},
        -20: {HOUSE: 1, STATION: 1, LIAISON_POINT: 1},
    }


async def test_oversight_groups_of_the_terms_that_a_day_is_in(office: Office) -> None:
    term = await office.term()
    for days, topic in zip((-30, -20), oversight_pb2.OversightTopic.values()[1:], strict=False):
        await office.oversight_group(term, topic, in_days(days))
    by_day = {day: (await summary(office, in_days(day))).oversight_groups for day in (-31, -30, -20, 699, 700)}
    assert by_day == {-31: 0, -30: 1, -20: 2, 699: 2, 700: 0}
