"""A delegate's own record."""

from typing import Any

from starlette.responses import Response

from gateway.console.district import bodies
from gateway.console.page import Page

RECENT = 30
RUNNING = ("POLL_STATE_OPEN", "POLL_STATE_VOTING")


async def record(page: Page) -> Response:
    """What a delegate is, has done, and is asked to do now."""
    person = page.session.caller.subject
    mandates = await page.everything("registry.ListMandates", "mandates", person=person) if _is_person(person) else []
    records: list[tuple[Any, Any, Any]] = []
    for mandate in mandates:
        performance = await page.attempt("registry.GetPerformance", name=mandate.name)
        activities = await page.attempt("registry.ListActivities", mandate=mandate.name, page_size=RECENT)
        records.append((mandate, performance, activities.activities if activities else []))
    polls = [
        poll
        for state in RUNNING
        for poll in await page.everything("ballots.ListPolls", "polls", state=state)
        if await page.attempt("ballots.GetEntitlement", name=poll.name)
    ]
    return page.show(
        "own.html",
        title=page.say("我的履职", "My record"),
        records=records,
        polls=polls,
        bodies=await bodies(page),
    )


def _is_person(subject: str) -> bool:
    return subject.startswith("persons/")
