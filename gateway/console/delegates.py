"""Delegates: who sits in the district's assemblies, and a new one from recommendation to confirmation."""

import uuid
from typing import Any

from starlette.responses import Response

from gateway.console.backend import enum
from gateway.console.district import bodies, units
from gateway.console.page import ROWS, Page, Wrong, date_of, named, refused_before
from gateway.console.words import today

STATES = enum("registry.v1.MandateState")
CAPACITIES = enum("registry.v1.Capacity")
GENDERS = enum("registry.v1.Gender")
NAMES_AT_ONCE = 100


async def several(page: Page) -> Response:
    """The mandates of the district, with names where whoever looks may read them."""
    state = page.asked_value("state", STATES)
    answer = await page.ask(
        "registry.ListMandates",
        assembly=page.asked("assembly"),
        states=[state] if state != STATES.values[0].name else [],
        page_size=ROWS,
        page_token=page.asked("page"),
    )
    return page.show(
        "delegates.html",
        title=page.say("代表名册", "Delegates"),
        mandates=answer.mandates,
        names=await _names(page, {each.person for each in answer.mandates}),
        bodies=await bodies(page),
        more=answer.next_page_token,
        states=STATES,
        may_register=page.has_role("clerk"),
    )


async def one(page: Page) -> Response:
    """A mandate, and what an examiner does with it."""
    name = named(page, "mandates")
    mandate = await page.ask("registry.GetMandate", name=name)
    state = STATES.values_by_number[mandate.state].name
    names = await _names(page, {mandate.person})
    examines = page.has_role("examiner")
    return page.show(
        "delegate.html",
        title=names.get(mandate.person, page.say("代表", "A delegate")),
        mandate=mandate,
        body=(await bodies(page)).get(mandate.term.partition("/terms/")[0], mandate.term),
        performance=await page.attempt("registry.GetPerformance", name=name),
        vets=examines and state == "MANDATE_STATE_RECOMMENDED",
        confirms=examines and state == "MANDATE_STATE_VETTED",
        today=today().isoformat(),
        **refused_before(page),
    )


async def step(page: Page, given: dict[str, str]) -> Response:
    """Vets or confirms a mandate."""
    name = named(page, "mandates")
    fields: dict[str, Any] = {"name": name, "etag": given.get("etag", ""), "request_id": given.get("request_id", "")}
    if given.get("step") == "vet":
        await page.ask("registry.VetMandate", **fields)
    elif given.get("step") == "confirm":
        since = date_of(page, given.get("active_from", ""), page.say("任职日期", "the first day in office"))
        await page.ask("registry.ConfirmMandate", **fields, active_from=since)
    else:
        raise Wrong(400, page.say("没有这一步。", "There is no such step."))
    return page.go(page.request.url.path)


async def form(page: Page) -> Response:
    """The form of a new delegate."""
    terms: list[tuple[str, str]] = []
    for assembly in await page.everything("registry.ListAssemblies", "assemblies", most=200):
        for term in await page.everything("registry.ListTerms", "terms", parent=assembly.name):
            if not term.end_date.year or term.end_date.year >= today().year:
                label = page.say(f"第 {term.number} 届", f"term {term.number}")
                terms.append((term.name, f"{assembly.display_name} {label}"))
    return page.show(
        "delegate_new.html",
        title=page.say("登记代表", "Register a delegate"),
        terms=terms,
        units=await units(page),
        genders=GENDERS,
        capacities=CAPACITIES,
        **refused_before(page),
    )


async def create(page: Page, given: dict[str, str]) -> Response:
    """Enters the person and recommends them. Where the recommendation is refused, the person is there already: the form
    that is shown again goes on with that one.
    """
    person = {
        "display_name": given.get("display_name", ""),
        "gender": _value(GENDERS, given.get("gender", "")),
        "birth_date": date_of(page, given.get("birth_date", ""), page.say("出生日期", "the date of birth")),
        "residence": given.get("residence", ""),
        "residence_since": date_of(
            page, given.get("residence_since", ""), page.say("居住起始日", "the day of moving in"), required=False
        ),
        "phone": given.get("phone", ""),
    }
    once = given.get("request_id", "")
    if not given.get("person"):
        given["person"] = (await page.ask("registry.CreatePerson", person=person, request_id=once)).name
    mandate = {
        "person": given["person"],
        "term": given.get("term", ""),
        "capacity": _value(CAPACITIES, given.get("capacity", "")),
        "recommender": given.get("recommender", ""),
    }
    made = await page.ask("registry.RecommendMandate", mandate=mandate, request_id=_second(page, once))
    return page.go(f"{page.base}/{made.name}")


def _second(page: Page, once: str) -> str:
    """The id of the form's second call: always the same one for the same form."""
    try:
        return str(uuid.uuid5(uuid.UUID(once), "mandate"))
    except ValueError:
        raise Wrong(400, page.say("表单已失效，请重新打开。", "The form is out of date: open it again.")) from None


def _value(kind: Any, text: str) -> str:
    return text if text in kind.values_by_name else str(kind.values[0].name)


async def _names(page: Page, persons: set[str]) -> dict[str, str]:
    """The names of persons, where whoever looks may read them."""
    if not persons or not page.has_role("clerk", "examiner"):
        return {}
    found: dict[str, str] = {}
    wanted = sorted(persons)
    for start in range(0, len(wanted), NAMES_AT_ONCE):
        answer = await page.attempt("registry.BatchGetPersons", names=wanted[start : start + NAMES_AT_ONCE])
        found |= {each.name: each.display_name for each in answer.persons} if answer else {}
    return found
