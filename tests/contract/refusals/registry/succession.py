"""Districts that cannot be taken over, or not in this way."""

from tests.contract import merged as merging
from tests.contract.acts import delegates, record
from tests.contract.merged import Merged
from tests.contract.office import Office, in_days, on
from tests.contract.refusals import refused_with


@refused_with("SUCCESSION_OF_ITSELF")
async def taking_over_from_itself(office: Office) -> None:
    await Merged(office, office).succeed(units=[])


@refused_with("DISTRICT_NOT_FOUND")
async def taking_over_from_nobody(office: Office) -> None:
    await Merged(office, office).succeed(name="districts/599999")


@refused_with("DISTRICT_NOT_FOUND")
async def being_taken_over_by_nobody(office: Office) -> None:
    await Merged(office, office).succeed(successor="districts/599999")


@refused_with("SUCCESSOR_REFUSED")
async def being_taken_over_by_a_suspended_district(office: Office) -> None:
    merged = await merging.two(office)
    await merging.suspend(merged.new)
    await merged.succeed(validate_only=True)


@refused_with("SUCCESSION_DATE_REFUSED")
async def succession_on_a_day_to_come(office: Office) -> None:
    merged = await merging.two(office)
    await merged.stop()
    await merged.succeed(effective_date=on(in_days(1)))


@refused_with("SUCCESSION_DATE_REFUSED")
async def succession_before_an_act_of_duty(office: Office) -> None:
    merged = await merging.two(office)
    (delegate,) = await delegates(merged.old, term=await merged.old.term(await merged.old.assembly(merged.code(1))))
    await record(merged.old, delegate, day=in_days(-5))
    await merged.succeed(validate_only=True, effective_date=on(in_days(-5)))


@refused_with("SUCCESSION_UNITS_REFUSED")
async def succession_with_a_unit_forgotten(office: Office) -> None:
    merged = await merging.two(office)
    await merged.succeed(validate_only=True, units=merged.request().units[:1])


@refused_with("DISTRICT_SUCCEEDED")
async def succession_by_two_others(office: Office) -> None:
    merged = await merging.two(office)
    await merged.stop()
    await merged.succeed()
    other = await merging.beside(office)
    await Merged(merged.old, other).succeed()


@refused_with("SUCCESSOR_WITHOUT_TERM")
async def deputies_without_a_congress_to_sit_in(office: Office) -> None:
    merged = await merging.two(office)
    await merged.old.delegate(await merged.old.term(await merged.old.congress()))
    await merged.succeed(validate_only=True)


@refused_with("SUCCESSION_NEEDS_SUSPENSION")
async def succession_of_a_district_that_is_called(office: Office) -> None:
    await (await merging.two(office)).succeed()


@refused_with("SUCCESSION_DIFFERS")
async def succession_done_again_with_other_codes(office: Office) -> None:
    merged = await merging.two(office)
    await merged.stop()
    await merged.succeed()
    await merged.succeed(units=[])
