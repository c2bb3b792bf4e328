"""Bad input that was once a fault of ours, or nearly: kept so that it never is again."""

import base64
import json
from typing import Any

import pytest
from google.protobuf.message import Message

from chassis.errors import LONGEST_FACT
from quanyutong.registry.v1 import assemblies_pb2, mandates_pb2, persons_pb2, rules_pb2, units_pb2
from tests.badinput.conftest import Ground
from tests.contract.office import CONGRESS, NOBODY, in_days, mask, on
from tests.isolation.rpcs import RPCS, short

PATHS = {short(path): path for path in RPCS}
NAMED = persons_pb2.Person(name=f"persons/{NOBODY}", display_name="王小明")
LONG_RULE = f"rules/congress.{'x' * 50_000}"
TOMORROW: dict[str, Any] = {"effective_date": on(in_days(1)), "decision": "决定"}
# What it is -> the RPC, the request, and the reason that it is refused with.
CASES: dict[str, tuple[str, Message, str]] = {
    "an update of nothing": (
        "UpdateAssembly",
        assemblies_pb2.UpdateAssemblyRequest(
            assembly=assemblies_pb2.Assembly(kind=CONGRESS, display_name="人大"), update_mask=mask("*")
        ),
        "FIELD_INVALID",
    ),
    "an update of nobody": (
        "UpdatePerson",
        persons_pb2.UpdatePersonRequest(person=persons_pb2.Person(display_name="王小明"), update_mask=mask("*")),
        "FIELD_INVALID",
    ),
    "a mask of 100 KB": (
        "UpdatePerson",
        persons_pb2.UpdatePersonRequest(person=NAMED, update_mask=mask("长" * 33_000)),
        "FIELD_MASK_INVALID",
    ),
    "a mask that goes deep": (
        "UpdatePerson",
        persons_pb2.UpdatePersonRequest(person=NAMED, update_mask=mask(".".join(["person"] * 10_000))),
        "FIELD_MASK_INVALID",
    ),
    "a rule of 50 KB": (
        "OverrideRule",
        rules_pb2.OverrideRuleRequest(name=LONG_RULE, value="1", **TOMORROW),
        "RULE_NOT_FOUND",
    ),
    "a rule of 50 KB to restore": (
        "RestoreRule",
        rules_pb2.RestoreRuleRequest(name=LONG_RULE, **TOMORROW),
        "RULE_NOT_FOUND",
    ),
}


async def refused(ground: Ground, door: str, rpc: str, *messages: Message) -> Any:
    return await ground.call(door, PATHS[rpc], [message.SerializeToString() for message in messages])


@pytest.mark.parametrize("door", ["direct", "gateway"])
@pytest.mark.parametrize("case", CASES)
async def test_found_before(ground: Ground, door: str, case: str) -> None:
    rpc, request, expected = CASES[case]
    ended = await refused(ground, door, rpc, request)
    assert ended.reason == expected
    # Its trailers fit into what a client takes, or the reason would be lost on the way.
    assert len(ended.text.encode()) < 4 * LONGEST_FACT


@pytest.mark.parametrize("door", ["direct", "gateway"])
async def test_term_that_ends_after_the_calendar(ground: Ground, door: str) -> None:
    term = assemblies_pb2.Term(number=99, start_date=on("9998-01-01"))
    request = assemblies_pb2.OpenTermRequest(parent=ground.names[1], term=term)
    assert (await refused(ground, door, "OpenTerm", request)).reason == "FIELD_INVALID"


@pytest.mark.parametrize("key", ["9" * 30, "\0", "\ud800", 7, {}, None], ids=ascii)
async def test_key_of_a_token_that_no_column_takes(ground: Ground, key: object) -> None:
    lists: dict[str, Any] = {
        "ListTerms": assemblies_pb2.ListTermsRequest(parent=ground.names[1], page_size=1),
        "ListUnits": units_pb2.ListUnitsRequest(page_size=1),
        "ListPersons": persons_pb2.ListPersonsRequest(page_size=1),
    }
    for rpc, request in lists.items():
        token = await token_of(ground, rpc, request)
        (bound, *_) = json.loads(base64.urlsafe_b64decode(token))
        request.page_token = base64.urlsafe_b64encode(json.dumps([bound, key]).encode()).decode()
        ended = await refused(ground, "direct", rpc, request)
        if not (rpc == "ListUnits" and key == "9" * 30):  # a text after every code: the last page
            assert ended.reason == "PAGE_TOKEN_INVALID", rpc


async def token_of(ground: Ground, rpc: str, request: Any) -> str:
    """The token of the second page, for which there has to be one."""
    office = ground.office
    answer = await office.call(rpc, request)
    if not answer.next_page_token:
        await {"ListTerms": _another_term, "ListUnits": _another_unit, "ListPersons": _another_person}[rpc](ground)
        answer = await office.call(rpc, request)
    return str(answer.next_page_token)


async def _another_term(ground: Ground) -> None:
    await ground.office.open_term(ground.names[1], 50, "2050-01-01")


async def _another_unit(ground: Ground) -> None:
    await ground.office.unit(500)


async def _another_person(ground: Ground) -> None:
    await ground.office.person()


@pytest.mark.parametrize("door", ["direct", "gateway"])
async def test_more_faults_than_trailers_carry(ground: Ground, door: str) -> None:
    opening = mandates_pb2.RegisterMandatesRequest.Opening(
        term=ground.names[2], active_from=on(in_days(-1)), recommender="某单位"
    )
    row = mandates_pb2.RegisterMandatesRequest.Row(person=f"persons/{NOBODY}", capacity=mandates_pb2.CAPACITY_RESIDENT)
    rows = [mandates_pb2.RegisterMandatesRequest(row=row)] * 90
    ended = await refused(
        ground, door, "RegisterMandates", mandates_pb2.RegisterMandatesRequest(opening=opening), *rows
    )
    assert ended.reason == "ROWS_REFUSED"
