"""Livelihood projects, from the candidate to its acceptance."""

from starlette.responses import Response

from gateway.console.backend import enum
from gateway.console.district import bodies
from gateway.console.page import ROWS, Page, named

STATES = enum("ballots.v1.ProjectState")
LEVELS = enum("ballots.v1.ProjectLevel")


async def several(page: Page) -> Response:
    """The district's projects."""
    year = page.asked("year")
    answer = await page.ask(
        "ballots.ListProjects",
        state=page.asked_value("state", STATES),
        level=page.asked_value("level", LEVELS),
        year=int(year) if year.isdecimal() and len(year) == 4 else 0,
        late=page.asked("late") == "yes",
        page_size=ROWS,
        page_token=page.asked("page"),
    )
    return page.show(
        "projects.html",
        title=page.say("民生实事项目", "Livelihood projects"),
        projects=answer.projects,
        more=answer.next_page_token,
        states=STATES,
        levels=LEVELS,
    )


async def one(page: Page) -> Response:
    """A project with its timeline."""
    name = named(page, "projects")
    project = await page.ask("ballots.GetProject", name=name)
    timeline = await page.attempt("ballots.ListTimeline", parent=name, page_size=200)
    return page.show(
        "project.html",
        title=project.title,
        project=project,
        body=(await bodies(page)).get(project.body, project.body),
        steps=timeline.steps if timeline else None,
    )
