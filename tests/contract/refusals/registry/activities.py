"""Acts of duty, and the record of them."""

from quanyutong.registry.v1 import activities_pb2, performance_pb2
from tests.contract.acts import MEETING, PAPER, delegates, entry, performance, record, record_all, totals, withdraw
from tests.contract.office import NOBODY, Office, in_days, on
from tests.contract.refusals import refused_with


@refused_with("ACTIVITY_NOT_FOUND")
async def activity_that_is_not_there(office: Office) -> None:
    await office.call("GetActivity", activities_pb2.GetActivityRequest(name=f"activities/{NOBODY}"))


@refused_with("ACTIVITY_NOT_FOUND")
async def withdrawal_of_nothing(office: Office) -> None:
    await withdraw(office, f"activities/{NOBODY}")


@refused_with("ACTIVITY_DATE_REFUSED")
async def act_of_tomorrow(office: Office) -> None:
    (mandate,) = await delegates(office)
    await record(office, mandate, day=in_days(1))


@refused_with("MANDATE_NOT_IN_FORCE")
async def act_of_one_who_is_only_recommended(office: Office) -> None:
    await record(office, await office.recommended(await office.term()))


@refused_with("MANDATE_NOT_FOUND")
async def act_of_nobody(office: Office) -> None:
    await record(office, f"mandates/{NOBODY}")


@refused_with("MANDATE_NOT_FOUND")
async def performance_of_nobody(office: Office) -> None:
    await performance(office, f"mandates/{NOBODY}")


@refused_with("UNIT_NOT_FOUND")
async def act_in_another_districts_unit(office: Office) -> None:
    (mandate,) = await delegates(office)
    await record(office, mandate, unit="units/500102001")


@refused_with("PAPER_BY_POLL_ALONE")
async def ballot_paper_by_hand(office: Office) -> None:
    (mandate,) = await delegates(office)
    await record(office, mandate, kind=PAPER)


@refused_with("PEOPLE_RECEIVED_REFUSED")
async def people_received_by_an_inspection(office: Office) -> None:
    (mandate,) = await delegates(office)
    await record(office, mandate, people_received=1)


@refused_with("MANDATE_SUSPENDED")
async def act_of_a_day_of_suspension(office: Office) -> None:
    (mandate,) = await delegates(office)
    await office.suspend(mandate, in_days(-5))
    await record(office, mandate)


@refused_with("ACTIVITIES_LATER")
async def end_before_an_act(office: Office) -> None:
    (mandate,) = await delegates(office)
    await record(office, mandate, day=in_days(-5))
    await office.end(mandate, in_days(-5))


@refused_with("ACTIVITIES_LATER")
async def suspension_before_an_act(office: Office) -> None:
    (mandate,) = await delegates(office)
    await record(office, mandate, day=in_days(-5))
    await office.suspend(mandate, in_days(-6))


@refused_with("ACTIVITY_EXISTS")
async def act_of_the_same_source_twice(office: Office) -> None:
    (mandate,) = await delegates(office)
    await record(office, mandate, source=MEETING)
    await record(office, mandate, source=MEETING)


@refused_with("ACTIVITY_WITHDRAWN")
async def withdrawal_twice(office: Office) -> None:
    (mandate,) = await delegates(office)
    recorded = await record(office, mandate)
    await withdraw(office, recorded.name)
    await withdraw(office, recorded.name)


@refused_with("ROWS_REFUSED")
async def acts_of_nobody(office: Office) -> None:
    await record_all(office, entry(f"mandates/{NOBODY}"))


@refused_with("PERIOD_REFUSED")
async def period_of_no_day(office: Office) -> None:
    await totals(office, start_date=on(in_days(0)), end_date=on(in_days(0)))


@refused_with("TERM_NOT_FOUND")
async def file_of_no_term(office: Office) -> None:
    request = performance_pb2.ExportPerformanceRequest(term=f"assemblies/{NOBODY}/terms/1")
    metadata = office.tenant.metadata("administrator")
    async for _ in office.registry.ExportPerformance(request, metadata=metadata):
        pass
