"""Mandates from confirmation to end."""

from quanyutong.registry.v1 import mandates_pb2, persons_pb2, rules_pb2
from tests.contract.office import NOBODY, Office, in_days, on
from tests.contract.refusals import refused_with


@refused_with("MANDATE_NOT_FOUND")
async def mandate_that_is_not_there(office: Office) -> None:
    await office.call("GetMandate", mandates_pb2.GetMandateRequest(name=f"mandates/{NOBODY}"))


@refused_with("MANDATE_NOT_FOUND")
async def confirmation_of_nothing(office: Office) -> None:
    await office.confirm(f"mandates/{NOBODY}")


@refused_with("MANDATE_STATE_REFUSED")
async def confirmation_without_vetting(office: Office) -> None:
    await office.confirm(await office.recommended(await office.term()))


@refused_with("MANDATE_DATE_REFUSED")
async def confirmation_for_tomorrow(office: Office) -> None:
    await office.confirm(await office.vetted(await office.term()), in_days(1))


@refused_with("MANDATE_DATE_REFUSED")
async def confirmation_before_the_term(office: Office) -> None:
    await office.confirm(await office.vetted(await office.term()), in_days(-701))


@refused_with("PERSON_NOT_ELIGIBLE")
async def confirmation_for_a_day_before_the_person_came(office: Office) -> None:
    term = await office.term()
    person = await office.eligible(term, residence_since=on(in_days(-400)))
    await office.confirm(await office.vetted(term, person), in_days(-300))


@refused_with("MANDATE_OVERLAPS")
async def confirmation_for_days_on_which_the_person_sat(office: Office) -> None:
    term = await office.term()
    person = await office.eligible(term)
    await office.end(await office.active(term, person, in_days(-20)), in_days(-10))
    await office.active(term, person, in_days(-11))


@refused_with("TERM_OVER")
async def confirmation_in_a_term_that_is_over(office: Office) -> None:
    term = await office.term()
    name = await office.vetted(term)
    await office.over(term)
    await office.confirm(name, in_days(-1))


@refused_with("TERM_NOT_OVER")
async def expiry_within_the_term(office: Office) -> None:
    name = await office.active(await office.term())
    await office.end(name, reason=mandates_pb2.END_REASON_EXPIRY)


@refused_with("COMPOSITION_REFUSED")
async def more_men_than_leave_room_for_half_of_women(office: Office) -> None:
    term = await office.term()
    await office.override("2")
    enforce = rules_pb2.ENFORCEMENT_ENFORCE
    await office.override(">=1/2", rule="rules/subdistrict_assembly.women_share", enforcement=enforce)
    for _ in range(2):
        await office.active(term, await office.eligible(term, gender=persons_pb2.GENDER_MALE))
