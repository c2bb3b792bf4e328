"""The cases of cases.toml, each as REST and as gRPC, with equal results; in English and in Chinese."""

import asyncio
import tomllib
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

import grpc
import httpx
import pytest
from google.api import annotations_pb2, httpbody_pb2
from google.protobuf import json_format
from google.rpc import error_details_pb2, status_pb2

from quanyutong.ballots.v1 import suggestions_pb2
from quanyutong.meetings.v1 import plan_pb2
from quanyutong.registry.v1 import districts_pb2
from quanyutong_client.reading import base64
from tests.ballots.polling import polling_of
from tests.ballots.season import Season
from tests.conftest import Platforms, fresh_tenant
from tests.contract.acts import delegates, record
from tests.contract.hall import hall_of
from tests.contract.merged import beside
from tests.contract.office import STATION, Office, in_days, mask
from tests.contract.rest import as_grpc, comparable
from tests.feedback.hearing import heard
from tests.harness import until
from tests.isolation.rpcs import METHODS, answer_of, outcome
from tests.meetings.annual import PLAN, YEAR, owed, planned, proposals
from tests.meetings.papers import papers
from tests.meetings.secretariat import Secretariat
from tests.meetings.session import session

CASES = tomllib.loads(Path(__file__).with_name("cases.toml").read_text())["case"]
# The example of GB 11643.
IDENTITY_NUMBER = "11010519491231002X"
STAFF = ("clerk", "examiner", "administrator")
LOCALES = {"en": "en", "zh-CN": "zh-CN", "de, en;q=0.5": "en", "fr": "zh-CN", "zh;q=0.3, en;q=0.2": "zh-CN"}


@dataclass(frozen=True)
class World:
    """A district's office with the entries that the cases speak of."""

    office: Office
    names: Mapping[str, str]

    @classmethod
    async def made(cls, office: Office) -> "World":
        unit = await office.unit()
        assembly = await office.assembly(unit)
        congress, yesterday = await office.congress(), in_days(-1)
        past = await office.open_term(await office.assembly(await office.unit(2)), start=in_days(-800), end=yesterday)
        term, person = await office.term(assembly), await office.person()
        return cls(
            office,
            {
                "district": office.district,
                "ending": await ending(office),
                **{part: str(getattr(yesterday, part)) for part in ("year", "month", "day")},
                "unit": unit,
                "assembly": assembly,
                "renamed_assembly": congress,
                "congress_term": await office.term(congress),
                "term": term,
                "person": person,
                "corrected_person": await office.person(),
                "recommended": await office.recommended(term, person),
                "to_vet": await office.recommended(term),
                "to_confirm": await office.vetted(term),
                "to_reject": await office.recommended(term),
                "to_end": await office.active(term),
                "to_suspend": await office.active(term),
                "suspended": await office.suspended(term),
                "left": (await office.end(await office.active(term))).name,
                "past_term": past.name,
                **await cls.duties(office, term),
                "identity_number": IDENTITY_NUMBER,
                "identified": await office.person("张三", identity_number=IDENTITY_NUMBER, phone="13800138000"),
                "double": await office.person("张三"),
                **await acts_of(office, term),
                **await plan_of(office),
                **await polls_of(office),
                **await projects_of(office),
                **await heard(office),
                **await session(Secretariat(office.tenant)),
                **await papers(Secretariat(office.tenant)),
                **await hall_of(office),
            },
        )

    @staticmethod
    async def duties(office: Office, term: str) -> dict[str, str]:
        """Stations, rotas, contacts and groups that the cases read and change."""
        unit, delegate = await office.unit(20), await office.delegate(term)
        house, group = await office.station(unit), await office.oversight_group(term)
        station = await office.station(unit, STATION, belongs_to=house)
        await office.join(group, delegate, in_days(-100))
        members = [await office.delegate(term) for _ in range(3)]
        for member in members[1:]:
            await office.join(group, member, in_days(-100))
        return {
            "other_unit": unit,
            "delegate": delegate,
            "house": house,
            "station": station,
            "to_close": await office.station(unit, STATION, belongs_to=house),
            "to_change": await office.station(unit, STATION, belongs_to=house),
            "rota_entry": await office.assigned(station, delegate, in_days(-10), in_days(-5)),
            "to_release": await office.assigned(house, delegate, in_days(-10)),
            "contact": await office.contact(delegate, person=await office.person(residence=unit)),
            "to_end_contact": await office.contact(delegate, person=await office.person("李四")),
            "group": group,
            "to_join": members[0],
            "to_leave": members[1],
            "to_lead": members[2],
        }

    def filled(self, given: Any) -> Any:
        """The same with every ${name} replaced by the entry's."""
        if isinstance(given, dict):
            return {self.filled(key): self.filled(value) for key, value in given.items()}
        if isinstance(given, list):
            return [self.filled(each) for each in given]
        return Template(given).substitute(self.names) if isinstance(given, str) else given

    def headers(self, case: Mapping[str, Any]) -> dict[str, str]:
        district = None if case.get("municipal") else self.office.district
        token = self.office.tenant.platform.token(case.get("roles", STAFF), district)
        return {"authorization": f"Bearer {token}", **self.filled(case.get("headers", {}))}


async def ending(office: Office) -> str:
    """The code of another district, with one unit, that the office's own could take over from."""
    other = await beside(office)
    await other.unit()
    named = districts_pb2.District(name=f"districts/{other.district}", display_name="待并区")
    renaming = districts_pb2.UpdateDistrictRequest(district=named, update_mask=mask("display_name"))
    await office.operate("UpdateDistrict", renaming)
    return other.district


async def acts_of(office: Office, term: str) -> dict[str, str]:
    """A delegate, and what the delegate did yesterday."""
    (acting,) = await delegates(office, term=term)
    activities = {name: await record(office, acting) for name in ("activity", "to_correct", "to_withdraw")}
    return {"acting": acting, **{name: activity.name for name, activity in activities.items()}}


async def plan_of(office: Office) -> dict[str, str]:
    """Reception days of a station in the next year: their days are the rules' own, whatever else is planned."""
    secretariat = Secretariat(office.tenant)
    station = await office.station(await office.unit(30), STATION)

    async def heard() -> bool:
        return bool(await owed(secretariat, body=station))

    await until(heard)
    await planned(secretariat)
    found = await proposals(secretariat, body=station, kind=plan_pb2.OBLIGATION_KIND_RECEPTION_DAY)
    names = {"to_accept": found[0].name, "to_turn_down": found[1].name, "obligation": found[2].obligation}
    return {**names, "receiving": station, "plan": PLAN, "planned_year": str(YEAR)}


async def polls_of(office: Office) -> dict[str, str]:
    """Polls of a meeting in session: one that is announced, without a ballot, and those to be changed."""
    polling = polling_of(office)
    assembly = await office.assembly(await office.unit(41))
    await office.delegate(await office.term(assembly))
    vote = await polling.announced_at(assembly)
    drafts = {name: (await polling.draft(vote.meeting)).name for name in ("update", "open", "start", "void")}
    await polling.do_poll("Open", drafts["start"])
    names = {f"poll_to_{name}": poll for name, poll in drafts.items()}
    return {**names, "poll": vote.poll, "convened": vote.meeting, "zeros": base64(bytes(256))}


async def projects_of(office: Office) -> dict[str, str]:
    """A campaign that is a draft, and one that was voted on, with a project that was adopted."""
    season = Season(office.tenant)
    first, second = [await season.assembly(await season.unit(number)) for number in (42, 43)]
    project = await season.undertaken(body=first)
    draft = await season.campaign(second)
    voted = (await season.shown(project)).campaign
    collected = suggestions_pb2.ListSuggestionsRequest(campaign=voted, page_size=1)
    suggestion = (await season.vote("ListSuggestions", collected)).suggestions[0].name
    return {
        "campaign_draft": draft.name,
        "campaign_body": second,
        "voted": voted,
        "project": project,
        "suggestion": suggestion,
    }


@dataclass(frozen=True)
class Answer:
    """What came back, as JSON, and its reason when it is a refusal."""

    status: int
    reason: str
    content: Any


@dataclass(frozen=True)
class Doors:
    """The two ways into the same gateway, each with a district of its own."""

    over_rest: World
    over_grpc: World
    client: httpx.AsyncClient
    channel: grpc.aio.Channel

    async def rest(self, case: Mapping[str, Any], **headers: str) -> Answer:
        world = self.over_rest
        verb, target = world.filled(case["call"]).split(" ")
        body = world.filled(case["body"]) if "body" in case else None
        response = await self.client.request(verb, target, json=body, headers={**world.headers(case), **headers})
        content = content_of(response)
        status = json_format.ParseDict(content, status_pb2.Status()) if response.is_error else status_pb2.Status()
        return Answer(response.status_code, _reason(status), content)

    async def grpc(self, case: Mapping[str, Any], **headers: str) -> Answer:
        world = self.over_grpc
        verb, target = world.filled(case["call"]).split(" ")
        path, requests = as_grpc(verb, target, world.filled(case.get("body")))
        metadata = {**world.headers(case), **headers}
        messages = [request.SerializeToString() for request in requests]
        ended = await outcome(self.channel, path, messages, tuple(metadata.items()))
        if ended.code is grpc.StatusCode.OK:
            return Answer(200, "", json_format.MessageToDict(answer_of(path).FromString(ended.answers[0])))
        return Answer(0, ended.reason, json_format.MessageToDict(ended.status))


def content_of(response: httpx.Response) -> Any:
    """The JSON of an answer; of a file what its message is, a google.api.HttpBody."""
    kind = response.headers["content-type"]
    if kind == "application/json":
        return response.json()
    return json_format.MessageToDict(httpbody_pb2.HttpBody(content_type=kind, data=response.content))


def _reason(status: status_pb2.Status) -> str:
    for detail in status.details:
        info = error_details_pb2.ErrorInfo()
        if detail.Unpack(info):
            return str(info.reason).removeprefix("ERROR_REASON_")
    return ""


@pytest.fixture(scope="module", params=["all", "split"])
async def doors(request: pytest.FixtureRequest, platforms: Platforms) -> AsyncIterator[Doors]:
    async with AsyncExitStack() as stack:
        tenants = [await stack.enter_async_context(fresh_tenant(platforms, f"{request.param}-gateway")) for _ in "12"]
        worlds = await asyncio.gather(*(World.made(Office(tenant)) for tenant in tenants))
        platform = tenants[0].platform
        client = httpx.AsyncClient(base_url=platform.gateway, trust_env=False, timeout=30)
        channel = grpc.aio.insecure_channel(platform.address("gateway"))
        await stack.enter_async_context(client)
        await stack.enter_async_context(channel)
        yield Doors(worlds[0], worlds[1], client, channel)


def field(content: Any, path: str) -> Any:
    """What stands at `units.0.name`."""
    for step in path.split("."):
        content = content[int(step)] if step.isdigit() else content[step]
    return content


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
async def test_case(doors: Doors, case: Mapping[str, Any]) -> None:
    rest, over_grpc = await doors.rest(case), await doors.grpc(case)
    assert (rest.status, rest.reason, over_grpc.reason) == (
        case["status"],
        case.get("reason", ""),
        case.get("reason", ""),
    ), rest
    assert comparable(rest.content) == comparable(over_grpc.content)
    for path, expected in case.get("fields", {}).items():
        assert field(rest.content, path) == doors.over_rest.filled(expected), path
        assert field(over_grpc.content, path) == doors.over_grpc.filled(expected), path


@pytest.mark.parametrize("accepted", LOCALES)
async def test_language_of_a_refusal(doors: Doors, accepted: str) -> None:
    """The message is the text in the language that the caller prefers; both texts are always there."""
    case = {"call": "GET /v1/districts/599999"}
    headers = {"accept-language": accepted}
    for answer in (await doors.rest(case, **headers), await doors.grpc(case, **headers)):
        texts = {text["locale"]: text["message"] for text in answer.content["details"] if "locale" in text}
        assert set(texts) == {"zh-CN", "en"}
        assert answer.content["message"] == texts[LOCALES[accepted]]


async def test_every_rpc_with_a_path_has_a_case(doors: Doors) -> None:
    """Whoever adds an RPC adds its case."""
    reached = set()
    for case in CASES:
        verb, target = doors.over_rest.filled(case["call"]).split(" ")
        reached.add(as_grpc(verb, target, doors.over_rest.filled(case.get("body")))[0])
    with_path = {path for path, method in METHODS.items() if method.GetOptions().HasExtension(annotations_pb2.http)}
    assert reached == with_path
