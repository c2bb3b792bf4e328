"""What every page stands on: who looks, in which language and district, asking services, and showing a template."""

import json
import secrets
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from functools import cached_property, wraps
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import jinja2
from google.type.date_pb2 import Date
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from chassis.directory import Directory
from chassis.settings import Settings
from gateway.console.backend import Backend, Refused, enum
from gateway.console.login import Provider
from gateway.console.sessions import Session, Sessions
from gateway.console.words import Language, Speech
from quanyutong.options.v1 import options_pb2

HERE = Path(__file__).parent
LANGUAGE_COOKIE = "qyt-language"
ROWS = 50
# Forms are short; a longer body is no form.
LONGEST_FORM = 64 * 1024


@dataclass(frozen=True)
class Console:
    """What all pages share."""

    settings: Settings
    backend: Backend
    sessions: Sessions
    directory: Directory
    provider: Provider | None
    templates: jinja2.Environment


@dataclass
class Wrong(Exception):
    """The page cannot be shown, or the form not be taken. `text` says so in the language of the page."""

    status: int
    text: str


class Page:
    """One request for a page."""

    def __init__(self, console: Console, request: Request, session: Session | None) -> None:
        self.console = console
        self.request = request
        self._session = session
        self.speech = Speech(language_of(request))
        self.say = self.speech.say

    @property
    def session(self) -> Session:
        if self._session is None:
            raise RuntimeError("a page for everybody has no session")
        return self._session

    @property
    def logged_in(self) -> bool:
        return self._session is not None

    @cached_property
    def district(self) -> str:
        """The district of the page's address; that it may be looked at, each service decides."""
        code = str(self.request.path_params["code"])
        if code not in self.console.directory.entries:
            raise Wrong(404, self.say(f"没有代码为 {code} 的区县。", f"There is no district {code}."))
        return code

    @cached_property
    def district_name(self) -> str:
        return self.console.directory.entries[self.district].name

    @property
    def base(self) -> str:
        """The address of the district's pages."""
        return f"/console/districts/{self.district}"

    def has_role(self, *roles: str) -> bool:
        return any(options_pb2.Role.Value(f"ROLE_{role.upper()}") in self.session.caller.roles for role in roles)

    def path(self, **parameters: str) -> str:
        """The page's own address with other parameters; an empty one is left out."""
        kept = dict(self.request.query_params) | parameters
        query = urlencode({name: value for name, value in kept.items() if value})
        return self.request.url.path + (f"?{query}" if query else "")

    async def ask(self, rpc: str, **fields: Any) -> Any:
        """What a service answers to whoever looks. `rpc`: `registry.ListUnits`. Raises Refused."""
        return await self.console.backend.ask(rpc, self._metadata(), fields)

    async def ask_in(self, district: str, rpc: str, **fields: Any) -> Any:
        """What a service answers to somebody of the city about a district. Raises Refused."""
        return await self.console.backend.ask(rpc, [*self._metadata(), ("x-district", district)], fields)

    async def attempt(self, rpc: str, **fields: Any) -> Any:
        """The answer, or None where there is none for whoever looks: nothing of the sort, or not for their roles."""
        try:
            return await self.ask(rpc, **fields)
        except Refused as refused:
            if refused.status in (403, 404, 409):
                return None
            raise

    def follow(self, rpc: str, **fields: Any) -> AsyncIterator[Any]:
        """The answers of a streaming RPC. Raises Refused."""
        return self.console.backend.follow(rpc, self._metadata(), fields)

    async def everything(self, rpc: str, field: str, most: int = 1000, **fields: Any) -> list[Any]:
        """All pages of a list, up to `most` rows."""
        found: list[Any] = []
        token = ""
        while True:
            answer = await self.ask(rpc, **fields, page_size=min(most, 500), page_token=token)
            found.extend(getattr(answer, field))
            token = answer.next_page_token
            if not token or len(found) >= most:
                return found[:most]

    def asked(self, name: str) -> str:
        """A parameter of the page's address; empty where there is none."""
        return self.request.query_params.get(name, "")

    def asked_value(self, name: str, kind: Any) -> str:
        """A parameter that names a value of an enum; one that names none is left out, as if it were not there."""
        text = self.asked(name)
        return text if text in kind.values_by_name else kind.values[0].name

    def _metadata(self) -> list[tuple[str, str]]:
        metadata = [("accept-language", self.say("zh-CN", "en"))]
        if self._session:
            metadata.append(("authorization", f"Bearer {self._session.token}"))
            if "code" in self.request.path_params:
                metadata.append(("x-district", self.district))
        return metadata

    @cached_property
    def _form_key(self) -> str:
        return self._session.csrf if self._session else ""

    async def form(self) -> dict[str, str]:
        """The fields of a form, each once. Raises Wrong for one that this console did not make for this person."""
        fields = await self.request.form(max_files=0, max_part_size=LONGEST_FORM)
        given = {name: value.strip() for name, value in fields.items() if isinstance(value, str)}
        if self._session and not secrets.compare_digest(given.get("csrf", "").encode(), self._form_key.encode()):
            raise Wrong(
                403, self.say("表单已失效，请返回后重新提交。", "The form is out of date: go back and send it again.")
            )
        return given

    def show(self, template: str, status: int = 200, **values: Any) -> Response:
        """The page. The words and helpers of the templates are listed here."""
        speech = self.speech
        content = self.console.templates.get_template(template).render(
            page=self,
            say=speech.say,
            word=speech.word,
            value=speech.value,
            choices=speech.choices,
            verb=speech.verb,
            day=speech.day,
            month=speech.month,
            moment=speech.moment,
            number=speech.number,
            percent=speech.percent,
            yuan=speech.yuan,
            form_key=self._form_key,
            new_id=lambda: str(uuid.uuid4()),
            enum=enum,
            ident=ident,
            caller=self._session.caller if self._session else None,
            development=self.console.settings.environment == "development",
            **{"error": "", "given": {}, "title": "", **values},
        )
        return HTMLResponse(content, status, headers={"cache-control": "no-store"})

    def go(self, path: str) -> Response:
        """After a form: to the page that shows what it did."""
        return RedirectResponse(path, 303)


Handler = Callable[[Page], Awaitable[Response]]


def language_of(request: Request) -> Language:
    return "en" if request.cookies.get(LANGUAGE_COOKIE) == "en" else "zh"


def ident(name: str) -> str:
    """The last part of a resource's name, for an address."""
    return quote(name.rpartition("/")[2])


def named(page: Page, collection: str, parameter: str = "id") -> str:
    """The resource that the page's address names. Raises Wrong for what cannot be one."""
    try:
        return f"{collection}/{uuid.UUID(page.request.path_params[parameter])}"
    except ValueError:
        raise Wrong(404, page.say("没有这一页。", "There is no such page.")) from None


def date_of(page: Page, text: str, label: str, *, required: bool = True) -> Date | None:
    """A date of a form. Raises Wrong."""
    if not text and not required:
        return None
    try:
        year, month, day = (int(part) for part in text.split("-"))
    except ValueError:
        raise Wrong(400, page.say(f"请填写{label}。", f"Fill in {label}.")) from None
    return Date(year=year, month=month, day=day)


def for_everybody(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    """A page that wants no login."""
    return _answering(handler, login=False)


def for_people(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    """A page of somebody who has logged in; others are sent to the login and come back."""
    return _answering(handler, login=True)


def _answering(handler: Handler, *, login: bool) -> Callable[[Request], Awaitable[Response]]:
    @wraps(handler)
    async def answer(request: Request) -> Response:
        console: Console = request.app.state.console
        page = Page(console, request, await console.sessions.read(request))
        if login and not page.logged_in:
            back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            return RedirectResponse(f"/console/login?{urlencode({'next': back})}", 303)
        try:
            return await handler(page)
        except Wrong as wrong:
            return page.show("wrong.html", wrong.status, error=wrong.text)
        except Refused as refused:
            return page.show("wrong.html", refused.status, error=refused.text)

    return answer


def submitted(again: Handler, take: Callable[[Page, dict[str, str]], Awaitable[Response]]) -> Handler:
    """What a form does. Where it is refused: the page `again`, with what was filled in and the reason."""

    async def handle(page: Page) -> Response:
        given = await page.form()
        try:
            return await take(page, given)
        except (Refused, Wrong) as refused:
            page.request.state.refused = (refused.status, refused.text, given)
            return await again(page)

    return handle


def refused_before(page: Page) -> dict[str, Any]:
    """For a page with a form: what was refused and what had been filled in, where it is shown again."""
    status, error, given = getattr(page.request.state, "refused", (200, "", {}))
    return {"status": status, "error": error, "given": given}


def local_path(text: str) -> str:
    """Where to go after a login: a page of the console, and nowhere else."""
    parts = urlsplit(text)
    safe = not parts.scheme and not parts.netloc and parts.path.startswith("/console/") and "\\" not in text
    return text if safe else "/console/"


def data(value: Any) -> str:
    """JSON for an attribute that a script reads."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def environment() -> jinja2.Environment:
    """The templates: everything that is put into them is escaped, and what is missing is an error."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["data"] = data
    return made
