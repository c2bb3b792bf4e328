"""Recommending and vetting: who may be proposed, and for which seat."""

from tests.contract.office import NOBODY, Office, in_days
from tests.contract.refusals import refused_with


@refused_with("TERM_NOT_FOUND")
async def recommendation_for_no_term(office: Office) -> None:
    await office.recommended(f"assemblies/{NOBODY}/terms/1")


@refused_with("PERSON_NOT_FOUND")
async def recommendation_of_nobody(office: Office) -> None:
    await office.recommended(await office.term(), f"persons/{NOBODY}")


@refused_with("MANDATE_EXISTS")
async def recommendation_twice(office: Office) -> None:
    term, person = await office.term(), await office.person()
    await office.recommended(term, person)
    await office.recommended(term, person)


@refused_with("PERSON_FACT_MISSING")
async def vetting_without_a_birth_date(office: Office) -> None:
    term = await office.term(await office.congress())
    await office.vetted(term, await office.person())


@refused_with("PERSON_FACT_MISSING")
async def vetting_of_a_stay_without_beginning(office: Office) -> None:
    term = await office.term()
    await office.vetted(term, await office.eligible(term, residence_since=None))


@refused_with("PERSON_NOT_ELIGIBLE")
async def vetting_of_a_foreigner(office: Office) -> None:
    term = await office.term(await office.congress())
    await office.vetted(term, await office.eligible(term, nationality="MN"))


@refused_with("TERM_OVER")
async def recommendation_for_a_term_that_is_over(office: Office) -> None:
    term = await office.open_term(await office.assembly(), start=in_days(-9), end=in_days(0))
    await office.recommended(term.name)


@refused_with("VACANCY_REFUSED")
async def filling_the_seat_of_somebody_who_sits(office: Office) -> None:
    term = await office.term()
    await office.recommended(term, fills=await office.active(term))


@refused_with("VACANCY_FILLED")
async def filling_a_vacancy_twice(office: Office) -> None:
    term = await office.term()
    left = await office.end(await office.active(term))
    await office.recommended(term, fills=left.name)
    await office.recommended(term, fills=left.name)


@refused_with("VACANCIES_STAY_OPEN")
async def filling_a_vacancy_against_the_rule(office: Office) -> None:
    term = await office.term()
    await office.override("false", rule="rules/subdistrict_assembly.vacancy_filled")
    left = await office.end(await office.active(term))
    await office.recommended(term, fills=left.name)


@refused_with("PERSON_MERGED")
async def recommending_an_entry_that_was_merged(office: Office) -> None:
    keep, merged = await office.person(), await office.person()
    await office.merge(keep, merged)
    await office.recommended(await office.term(), merged)
