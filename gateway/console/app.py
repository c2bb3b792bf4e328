"""Every page of the console, and the application that serves them."""

from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from gateway.console import (
    city,
    delegates,
    district,
    entry,
    meetings,
    opinions,
    own,
    polls,
    projects,
    residents,
    stations,
    voting,
)
from gateway.console.guard import Guard
from gateway.console.page import HERE, Console, Handler, Page, for_everybody, for_people, submitted

DISTRICT = "/console/districts/{code:str}"


def application(console: Console) -> ASGIApp:
    """The console over its services."""
    app = Starlette(
        routes=[
            *_of_everybody(),
            *_of_city(),
            *_of_district(),
            Route("/console/{rest:path}", for_everybody(nowhere)),
        ]
    )
    app.state.console = console
    app.state.boxes = voting.Boxes(console.settings)
    return Guard(app, console.settings.console_url)


def _of_everybody() -> list[Route | Mount]:
    return [
        Mount("/console/static", StaticFiles(directory=HERE / "static")),
        Route("/", _home),
        Route("/console", _home),
        Route("/console/", for_people(entry.begin)),
        Route("/console/login", for_everybody(entry.login)),
        Route("/console/login", for_everybody(entry.develop), methods=["POST"]),
        Route("/console/login/provider", for_everybody(entry.leave)),
        Route("/console/login/callback", for_everybody(entry.arrive)),
        Route("/console/logout", for_people(entry.logout), methods=["POST"]),
        Route("/console/language/{to:str}", entry.language),
        Route("/ballot-box/{code:str}", voting.cast, methods=["POST"]),
        Route("/console/ballot-paper/{code:str}/{id:str}", for_people(voting.take_paper), methods=["POST"]),
        Route("/i/status", for_everybody(residents.ask)),
        Route("/i/status", for_everybody(residents.status), methods=["POST"]),
        Route("/i/{code:str}/{secret:str}", for_everybody(residents.form)),
        Route(
            "/i/{code:str}/{secret:str}",
            for_everybody(submitted(residents.form, residents.submit)),
            methods=["POST"],
        ),
    ]


def _of_city() -> list[Route]:
    return [
        Route("/console/city", for_people(city.overview)),
        Route("/console/city/live", for_people(city.live)),
        Route("/console/city/export", for_people(city.export)),
        Route("/console/city/overdue", for_people(city.overdue)),
        Route("/console/city/late", for_people(city.late)),
        Route("/console/city/undertakers", for_people(city.undertakers)),
    ]


def _of_district() -> list[Route]:
    return [
        Route(DISTRICT, for_people(district.overview)),
        Route(f"{DISTRICT}/me", for_people(own.record)),
        Route(f"{DISTRICT}/obligations", for_people(district.obligations)),
        Route(f"{DISTRICT}/meetings", for_people(meetings.month)),
        *_with_form(f"{DISTRICT}/meetings/new", meetings.form, meetings.create),
        *_with_form(f"{DISTRICT}/meetings/{{id:str}}", meetings.one, meetings.step),
        *_with_form(f"{DISTRICT}/meetings/{{id:str}}/check-in", meetings.one, meetings.check_in),
        Route(f"{DISTRICT}/polls", for_people(polls.several)),
        *_with_form(f"{DISTRICT}/polls/{{id:str}}", polls.one, polls.step),
        Route(f"{DISTRICT}/polls/{{id:str}}/live", for_people(polls.live)),
        Route(f"{DISTRICT}/polls/{{id:str}}/vote", for_people(voting.page_of_vote)),
        Route(f"{DISTRICT}/polls/{{id:str}}/verify", for_people(voting.verification)),
        Route(f"{DISTRICT}/polls/{{id:str}}/boxes/{{box:int}}/board", for_people(voting.board)),
        Route(f"{DISTRICT}/projects", for_people(projects.several)),
        Route(f"{DISTRICT}/projects/{{id:str}}", for_people(projects.one)),
        Route(f"{DISTRICT}/opinions", for_people(opinions.several)),
        *_with_form(f"{DISTRICT}/opinions/{{id:str}}", opinions.one, opinions.step),
        Route(f"{DISTRICT}/mandates", for_people(delegates.several)),
        *_with_form(f"{DISTRICT}/mandates/new", delegates.form, delegates.create),
        *_with_form(f"{DISTRICT}/mandates/{{id:str}}", delegates.one, delegates.step),
        *_with_form(f"{DISTRICT}/stations", stations.several, stations.step),
    ]


def _with_form(path: str, shown: Handler, taken: Callable[[Page, dict[str, str]], Awaitable[Response]]) -> list[Route]:
    return [
        Route(path, for_people(shown)),
        Route(path, for_people(submitted(shown, taken)), methods=["POST"]),
    ]


async def _home(request: Request) -> Response:
    return RedirectResponse("/console/", 303)


async def nowhere(page: Page) -> Response:
    return page.show("wrong.html", 404, error=page.say("没有这一页。", "There is no such page."))
