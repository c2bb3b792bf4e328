"""Counts over a district's register."""

from datetime import date

from quanyutong.registry.v1 import mandates_pb2, persons_pb2
from quanyutong.registry.v1 import summary_pb2 as pb
from tests.contract.office import (
    CONGRESS,
    DEPUTY,
    RESIDENT,
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
