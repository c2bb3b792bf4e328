"""What is in one district does not exist in another: not to read, not to change, and not to be guessed.

Two districts with the same entries make the same calls. In one of them a call
names an entry of a third district, in the other an entry that exists nowhere.
If the two can be told apart, the third district leaks.
"""

import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import grpc
import pytest
from google.api import field_behavior_pb2
from google.protobuf import json_format
from google.protobuf.message import Message

from tests.ballots.polling import Polling, polling_of
from tests.ballots.season import Season
from tests.conftest import Platforms, fresh_tenant
from tests.contract.acts import record
from tests.contract.office import NOBODY, STATION, Office, in_days
from tests.feedback.hearing import Hearing, furnished
from tests.isolation.examples import IDENTITY_NUMBER, Path, behaviours, name_fields, requests
from tests.isolation.rpcs import ENDLESS, OF_CITY, RPCS, Outcome, answer_of, outcome, request_of, short
from tests.meetings.annual import YEAR
from tests.meetings.met import met
from tests.meetings.secretariat import Secretariat

COLLECTIONS = {
    "person": "persons",
    "mandate": "mandates",
    "station": "stations",
    "rota entry": "rotaEntries",
    "contact": "contacts",
    "group": "oversightGroups",
    "activity": "activities",
    "venue": "venues",
    "meeting": "meetings",
    "proposal": "proposals",
    "poll": "polls",
    "campaign": "campaigns",
    "suggestion": "suggestions",
    "project": "projects",
    "task": "tasks",
    "milestone": "milestones",
    "decision": "decisions",
    "series": "series",
    "opinion": "opinions",
    "reception": "receptions",
    "intake": "intakes",
    "route": "routes",
    "delegate proposal": "delegateProposals",
    "nomination": "nominations",
    "calendar": "calendars",
    "agenda item": "agendaItems",
    "speaker": "speakers",
    "question": "questions",
    "attachment": "attachments",
    "deliberation opinion": "deliberationOpinions",
    "preparation": "preparations",
    "measure": "measures",
}
# What ends in a number, or in a word that means the same in every district.
NO_ID = ("term", "box", "minutes")
# Done in person or as a ballot box, by tokens that the staff's are not.
OTHERS = {"GetEntitlement", "TakePaper", "CastBallot", "EnterPaperCount", "CertifyPoll"}
# The RPCs that act in the district of the token. The others answer with what is public, or are the city's own.
TENANT = [path for path, rpc in RPCS.items() if rpc.tenant and short(path) not in OTHERS]
# What is watched says when it was so: it is asked for what is another's, and not compared with itself.
SAFE = [path for path in TENANT if RPCS[path].safe and short(path) not in ENDLESS | OF_CITY]
STAFF = ("clerk", "examiner", "administrator")
VOLATILE = (
    (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "id"),
    # Before times and codes: chance puts either's letters and digits together.
    (r'(?<="receipt": ")[A-Z2-7]{16}', "receipt"),
    # Before codes: a second has six digits behind it that may look like one.
    (r"T\d\d:\d\d:[\d.]+Z", "time"),
    (r"9\d{5}\d{3}|9\d{5}", "code"),
)


@dataclass(frozen=True)
class District:
    """A district that has one entry of every kind."""

    office: Office
    channel: grpc.aio.Channel
    names: Mapping[str, str]

    @classmethod
    async def made(cls, office: Office, channel: grpc.aio.Channel) -> "District":
        unit = await office.unit()
        assembly = await office.assembly(unit)
        term = await office.term(assembly)
        person = await office.person("李四", residence=unit, identity_number=IDENTITY_NUMBER)
        await office.recommended(term, person)
        mandate = await office.delegate(term)
        await office.override("77")
        names = {"unit": unit, "assembly": assembly, "term": term, "person": person, "mandate": mandate}
        names |= await cls.duties(office, names)
        held = await met(Secretariat(office.tenant), assembly, names["station below"], names["station"])
        names |= held | await polls(polling_of(Secretariat(office.tenant)), assembly, held["meeting"])
        names |= await furnished(Hearing(office.tenant), mandate, names["station"], unit)
        return cls(office, channel, names | await Season(office.tenant).furnished(assembly))

    @staticmethod
    async def duties(office: Office, names: Mapping[str, str]) -> dict[str, str]:
        """What the delegate does between meetings: of each kind one, ListStations' `belongs_to` among them."""
        house = await office.station(names["unit"])
        below = await office.station(names["unit"], STATION, belongs_to=house)
        group = await office.oversight_group(names["term"])
        await office.join(group, names["mandate"])
        return {
            "station": house,
            "station below": below,
            "rota entry": await office.assigned(house, names["mandate"]),
            "contact": await office.contact(names["mandate"], person=names["person"]),
            "group": group,
            "activity": (await record(office, names["mandate"], day=in_days(0), unit=names["unit"])).name,
        }

    async def call(self, path: str, messages: list[Message]) -> Outcome:
        metadata = tuple(self.office.tenant.metadata(*STAFF))
        return await outcome(self.channel, path, [message.SerializeToString() for message in messages], metadata)

    async def everything(self) -> dict[str, bytes]:
        """What the district itself reads of its entries, by every safe RPC. Not its seals: they come by themselves."""
        answers = {}
        for path in (path for path in SAFE if short(path) != "VerifyAudit"):
            ended = await self.call(path, all_of(path) or requests(path, self.names.values()))
            answers[path] = b"".join(ended.answers)
        return answers


async def polls(polling: Polling, assembly: str, meeting: str) -> dict[str, str]:
    """A poll that was announced, so that everything of it can be read, and a draft for the meeting."""
    await polling.draft(meeting)
    poll = (await polling.announced_at(assembly)).poll
    return {"poll": poll, "box": f"{poll}/boxes/1"}


def all_of(path: str) -> list[Message]:
    """The request without filters, unless it has to name something."""
    request = request_of(path)()
    needed = (field for field in request.DESCRIPTOR.fields if field_behavior_pb2.REQUIRED in behaviours(field))
    return [request] if not any(needed) else []


@dataclass(frozen=True)
class Three:
    """`owner` has the entries; `stranger` names them; `twin` names what exists nowhere."""

    owner: District
    stranger: District
    twin: District

    def names(self, district: District) -> Mapping[str, str]:
        """The entries that a district's call names: the owner's, or the same with ids that nothing has."""
        if district is self.stranger:
            return self.owner.names
        nothing = {kind: re.sub(VOLATILE[0][0], NOBODY, name) for kind, name in self.owner.names.items()}
        return nothing | {"unit": self.owner.names["unit"][:-3] + "777"}

    def owned(self) -> list[bytes]:
        """The owner's ids, which nobody else may be told."""
        return [name.rpartition("/")[2].encode() for kind, name in self.owner.names.items() if kind not in NO_ID]


@pytest.fixture(scope="module")
async def three(platforms: Platforms) -> AsyncIterator[Three]:
    async with AsyncExitStack() as stack:
        tenants = [await stack.enter_async_context(fresh_tenant(platforms, "all-direct")) for _ in range(3)]
        channel = await stack.enter_async_context(grpc.aio.insecure_channel(tenants[0].platform.direct))
        owner, stranger, twin = [await District.made(Office(tenant), channel) for tenant in tenants]
        yield Three(owner, stranger, twin)


def naming(path: str, own: Mapping[str, str], foreign: Mapping[str, str]) -> list[tuple[str, list[Message]]]:
    """The request once for each name in it, with that one name foreign and all others own."""
    plain = requests(path, own.values())
    made = []
    for index, message in enumerate(plain):
        for field in name_fields(message):
            changed = [type(each).FromString(each.SerializeToString()) for each in plain]
            for kind, name in own.items():
                if name == value_at(message, field):  # not a rule's name: rules are the platform's
                    set_at(changed[index], field, foreign[kind])
                    made.append((".".join(map(str, field)), changed))
    return made


def value_at(message: Any, field: Path) -> Any:
    for step in field:
        message = message[step] if isinstance(step, int) else getattr(message, step)
    return message


def set_at(message: Any, field: Path, value: str) -> None:
    place, step = value_at(message, field[:-1]), field[-1]
    if isinstance(step, int):
        place[step] = value
    else:
        setattr(place, step, value)


def seen(path: str, ended: Outcome) -> Any:
    """What the caller sees, without what differs between any two districts."""
    answers = [json_format.MessageToDict(answer_of(path).FromString(answer)) for answer in ended.answers]
    refusal = json_format.MessageToDict(ended.status)
    text = json.dumps([ended.code.name, ended.reason, answers, refusal], ensure_ascii=False, sort_keys=True)
    for pattern, stands in VOLATILE:
        text = re.sub(pattern, stands, text)
    return json.loads(text)


def test_there_is_enough_to_try() -> None:
    own = {"unit": "units/900001001", "assembly": f"assemblies/{NOBODY}", "term": f"assemblies/{NOBODY}/terms/1"}
    for kind, collection in COLLECTIONS.items():
        own[kind] = f"{collection}/{NOBODY}"
    own["obligation"] = f"obligations/{YEAR}.symposium.1.{NOBODY}"
    own["box"] = f"polls/{NOBODY}/boxes/1"
    own["minutes"], own["attendee"] = f"meetings/{NOBODY}/minutes", f"meetings/{NOBODY}/attendees/{NOBODY}"
    tried = {path: naming(path, own, own) for path in TENANT}
    assert sum(map(len, tried.values())) >= 25
    assert {short(path) for path in TENANT if not tried[path]} <= {
        "ListRules",
        "OverrideRule",
        "RestoreRule",
        "ListUnits",
        "GetSummary",
        "ListAudit",
        "VerifyAudit",
        "FindPerson",
        "RotateKeys",
        "PlanYear",
        "GetPlan",
        "ListVenues",
        "ListRoutes",
        "EvaluateUndertaker",
        "GetDistrictOverview",
        "WatchEvents",
    }


@pytest.mark.parametrize("path", TENANT, ids=short)
async def test_anothers_entry_is_like_one_that_nobody_has(three: Three, path: str) -> None:
    before = await three.owner.everything()
    for district in (three.stranger, three.twin):
        assert set(three.names(district)) == set(district.names)
    calls = [naming(path, district.names, three.names(district)) for district in (three.stranger, three.twin)]
    for (field, of_stranger), (_, of_twin) in zip(*calls, strict=True):
        ended = await three.stranger.call(path, of_stranger)
        assert seen(path, ended) == seen(path, await three.twin.call(path, of_twin)), field
        owned = three.owned()
        assert not any(name in answer for name in owned for answer in ended.answers), field
    assert await three.owner.everything() == before


async def test_names_of_another_district_are_refused_or_find_nothing(three: Three) -> None:
    """Every safe RPC, and every change of an entry: all names foreign."""
    for path in TENANT:
        messages = requests(path, three.owner.names.values())
        if not naming(path, three.owner.names, three.owner.names):
            continue
        ended = await three.stranger.call(path, messages)
        if ended.code is grpc.StatusCode.OK and RPCS[path].safe:
            assert ended.answers == (b"",), path
        elif ended.code is grpc.StatusCode.OK:
            assert short(path) in ("CreatePerson", "CreateVenue"), path
        elif short(path) == "CreateVenue":
            assert ended.code is grpc.StatusCode.ALREADY_EXISTS  # its own, of the test above
        else:
            assert ended.code in (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.INVALID_ARGUMENT), path


async def test_the_owner_finds_them_all(three: Three) -> None:
    """The same calls by the owner: without this, the tests above could pass on nothing."""
    for path in SAFE:
        ended = await three.owner.call(path, requests(path, three.owner.names.values()))
        assert ended.code is grpc.StatusCode.OK, path
        assert ended.answers != (b"",), path


async def test_unfiltered_lists_hold_own_entries_alone(three: Three) -> None:
    owned = three.owned()
    for path in (path for path in SAFE if short(path) != "ListRules"):
        for message in all_of(path):
            to_owner = b"".join((await three.owner.call(path, [message])).answers)
            to_stranger = b"".join((await three.stranger.call(path, [message])).answers)
            assert not any(name in to_stranger for name in owned), path
            assert to_owner != to_stranger, path


async def test_an_override_holds_in_its_own_district_alone(three: Three) -> None:
    (path,) = (path for path in SAFE if short(path) == "ListRules")
    fresh = await three.owner.office.tenant.platform.fresh_district()
    request = request_of(path).FromString(b"")
    metadata = tuple(three.owner.office.tenant.platform.metadata(STAFF, fresh))
    answer = await outcome(three.owner.channel, path, [request.SerializeToString()], metadata)
    rules = json_format.MessageToDict(answer_of(path).FromString(answer.answers[0]))["rules"]
    assert all("+r" not in rule["version"] and "decision" not in rule for rule in rules)
