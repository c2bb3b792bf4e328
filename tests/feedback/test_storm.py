"""A storm of anonymous intake is refused with a reason and felt by nobody else; an address adds, and opens nothing."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import grpc
import httpx
import pytest
from google.protobuf import json_format
from google.rpc import error_details_pb2

from gateway import limits, sizes
from quanyutong.feedback.v1 import intakes_pb2 as intakes
from quanyutong.feedback.v1 import opinions_pb2 as pb
from services.feedback import places
from tests.conftest import Platforms, fresh_tenant
from tests.feedback.hearing import Hearing
from tests.harness import Platform, reason, refused, until
from tests.isolation.rpcs import METHODS, RPCS, Outcome, outcome, request_of, short

STORM = 300
FEW = 10
SAID = {"category": 1, "content": "井盖松动"}
LIMITED, BUSY = "ERROR_REASON_RATE_LIMITED", "ERROR_REASON_INTAKE_BUSY"
WAITING = """SELECT count(*) FROM pg_stat_activity
             WHERE application_name = 'qyt-feedback' AND wait_event = 'advisory' AND query LIKE '%intake%'"""


@pytest.fixture
async def stormed(platforms: Platforms) -> AsyncIterator[Hearing]:
    async with fresh_tenant(platforms, "all-gateway") as tenant:
        yield Hearing(tenant)


@pytest.fixture
async def beside(platforms: Platforms) -> AsyncIterator[Hearing]:
    """Another district of the same platform."""
    async with fresh_tenant(platforms, "all-gateway") as tenant:
        yield Hearing(tenant)


@asynccontextmanager
async def rest(platform: Platform, **headers: str) -> AsyncIterator[httpx.AsyncClient]:
    at_once = httpx.Limits(max_connections=50)
    async with httpx.AsyncClient(
        base_url=platform.gateway, trust_env=False, limits=at_once, timeout=60, headers=headers
    ) as client:
        yield client


async def storm(client: httpx.AsyncClient, paths: Sequence[str]) -> tuple[list[httpx.Response], float]:
    """What each was answered, and how many of them the limit can have let in meanwhile."""
    begun = time.monotonic()
    told = list(await asyncio.gather(*(client.post(path, json=SAID) for path in paths)))
    return told, limits.ADDED.each * (2 + time.monotonic() - begun)


def reason_in(told: httpx.Response) -> str:
    return str(next(each["reason"] for each in told.json()["details"] if "reason" in each))


async def test_it_is_refused_and_felt_by_nobody_else(stormed: Hearing, beside: Hearing) -> None:
    address = (await stormed.intake()).address
    followed = intakes.GetStatusRequest(district=stormed.district, code=(await stormed.opinion()).receipt)
    other = await beside.intake()
    async with rest(stormed.tenant.platform) as client:
        raging = asyncio.ensure_future(storm(client, [address] * STORM))
        for number in range(FEW):
            entered = await beside.hear("CreateOpinion", pb.CreateOpinionRequest(opinion=beside.said(f"第{number}件")))
            assert (await beside.shown(entered.name)).content == f"第{number}件"
            asked = intakes.GetStatusRequest(district=beside.district, code=entered.receipt)
            by_path = await client.get(f"/v1/receipts/{beside.district}/{entered.receipt}")
            assert by_path.status_code == httpx.codes.OK
            await beside.tenant.feedback.GetStatus(asked, metadata=[("x-district", beside.district)])
        said = await client.post(other.address, json=SAID)
        assert said.status_code == httpx.codes.OK, said.text
        await beside.tenant.feedback.SubmitOpinion(beside.submission(other), metadata=[("x-district", beside.district)])
        # Nor by who follows an opinion of the same district, and by its office.
        assert (await client.get(f"/v1/receipts/{followed.district}/{followed.code}")).status_code == httpx.codes.OK
        assert len(await stormed.listed(page_size=1)) == 1
        told, most = await raging
    counted = Counter(each.status_code for each in told)
    assert set(counted) == {httpx.codes.OK, httpx.codes.TOO_MANY_REQUESTS}
    assert 1 <= counted[httpx.codes.OK] <= most
    assert len(await stormed.listed(channel=pb.OPINION_CHANNEL_INTAKE, page_size=500)) == counted[httpx.codes.OK]


@pytest.mark.parametrize(("language", "word"), [("zh-CN", "频繁"), ("en", "often")])
async def test_the_refusal_says_when_to_come_back(stormed: Hearing, language: str, word: str) -> None:
    address = (await stormed.intake()).address
    async with rest(stormed.tenant.platform, **{"accept-language": language}) as client:
        told, _ = await storm(client, [address] * 40)
        late = next(each for each in told if each.status_code == httpx.codes.TOO_MANY_REQUESTS)
    assert (reason_in(late), late.headers["retry-after"]) == (LIMITED, "1")
    assert word in late.json()["message"]
    after = next(each for each in late.json()["details"] if each["@type"].endswith("RetryInfo"))
    assert json_format.ParseDict({"retryDelay": after["retryDelay"]}, error_details_pb2.RetryInfo()).retry_delay.seconds


async def test_guesses_are_limited_and_leave_nothing(stormed: Hearing) -> None:
    intake = await stormed.intake()
    guesses = [f"/v1/intakes/{stormed.district}/{number:043}:submit" for number in range(100)]
    async with rest(stormed.tenant.platform) as client:
        told, most = await storm(client, guesses)
        reasons = Counter(map(reason_in, told))
        assert set(reasons) == {LIMITED, "ERROR_REASON_ADDRESS_NOT_FOUND"}
        assert reasons["ERROR_REASON_ADDRESS_NOT_FOUND"] <= most
    assert await stormed.listed(channel=pb.OPINION_CHANNEL_INTAKE) == []
    await stormed.anonymously("SubmitOpinion", stormed.submission(intake))


async def test_who_says_no_district_shares_one_limit(stormed: Hearing, beside: Hearing) -> None:
    """A gRPC call has no district in its path, and a path can name one that is none."""
    intake, other = await stormed.intake(), await beside.intake()
    submit, request = stormed.tenant.feedback.SubmitOpinion, stormed.submission(intake)
    begun = time.monotonic()
    calls = await asyncio.gather(*(submit(request) for _ in range(STORM)), return_exceptions=True)
    passed = [each for each in calls if not isinstance(each, BaseException)]
    assert {reason(each) for each in calls if isinstance(each, BaseException)} == {LIMITED}  # type: ignore[arg-type]
    assert 1 <= len(passed) <= limits.ADDED.each * (2 + time.monotonic() - begun)
    await beside.tenant.feedback.SubmitOpinion(beside.submission(other), metadata=[("x-district", beside.district)])
    async with rest(stormed.tenant.platform) as client:
        told, _ = await storm(client, [intake.address.replace(stormed.district, "999999")] * 40)
        assert {reason_in(each) for each in told} == {LIMITED, "ERROR_REASON_ADDRESS_NOT_FOUND"}
        assert (await client.post(other.address, json=SAID)).status_code == httpx.codes.OK


async def test_what_is_too_large_is_refused_at_the_door(stormed: Hearing) -> None:
    intake = await stormed.intake()
    escaped = json.dumps({"category": 1, "content": "𠮷" * 1000, "place": "𠮷" * 200}).encode()
    assert len(escaped) < sizes.LARGEST_AT_ADDRESS
    large = json.dumps({"category": 1, "content": "路" * sizes.LARGEST_AT_ADDRESS}, ensure_ascii=False).encode()
    async with rest(stormed.tenant.platform, **{"content-type": "application/json"}) as client:

        async def sent(content: bytes) -> httpx.Response:
            async def let_in() -> Any:
                told = await client.post(intake.address, content=content)
                return None if told.status_code == httpx.codes.TOO_MANY_REQUESTS else told

            return await until(let_in)

        assert (await sent(escaped)).status_code == httpx.codes.OK
        told = await sent(large)
        assert (told.status_code, reason_in(told)) == (
            httpx.codes.REQUEST_ENTITY_TOO_LARGE,
            "ERROR_REASON_REQUEST_TOO_LARGE",
        )
    over = stormed.anonymously("SubmitOpinion", stormed.submission(intake, "路" * sizes.LARGEST_AT_ADDRESS))
    assert await refused(over) == "ERROR_REASON_REQUEST_TOO_LARGE"


async def test_those_who_wait_hold_no_connections(platforms: Platforms) -> None:
    async with fresh_tenant(platforms, "all-direct") as tenant:
        hearing, room = Hearing(tenant), places.WAITING + 1
        async with hearing.waiting(await hearing.intake(), 3 * room) as calls:

            async def turned_away() -> bool:
                return sum(call.done() for call in calls) == 2 * room

            await until(turned_away)
            assert {reason(call.exception()) for call in calls if call.done()} == {BUSY}  # type: ignore[arg-type]
            assert await of_database(hearing, WAITING) == 1
            entered = await hearing.opinion("办公室照常登记")
            assert (await hearing.shown(entered.name)).content == "办公室照常登记"
    assert sum(call.exception() is None for call in calls) == room


async def of_database(hearing: Hearing, query: str) -> Any:
    connection = await asyncpg.connect(hearing.tenant.platform.postgres.url)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def test_the_same_words_are_taken_so_often_a_day(hearing: Hearing) -> None:
    intake = await hearing.intake()
    await hearing.override("2", rule="rules/stations_and_voice.intake_same_a_day")

    async def said(content: str) -> Any:
        return await hearing.anonymously("SubmitOpinion", hearing.submission(intake, content))

    async def repeated() -> Any:
        try:
            await said("同一件事")
        except grpc.aio.AioRpcError as error:
            return error

    assert reason(await until(repeated)) == "ERROR_REASON_INTAKE_REPEATED"
    await said("另一件事")


async def test_its_secret_opens_nothing_else(hearing: Hearing) -> None:
    intake = await hearing.intake()
    secret = hearing.submission(intake).secret
    opened = {}
    for path, rpc in RPCS.items():
        fields = {field.name for field in METHODS[path].input_type.fields} & {"secret", "code", "file"}
        given = {"district": hearing.district, **dict.fromkeys(fields, secret)} if rpc.secret_address else {}
        ended = await unhurried(hearing, path, request_of(path)(**given).SerializeToString(), secret)
        opened[short(path)] = ended.reason
    assert opened.pop("SubmitOpinion") == "FIELD_INVALID"  # it is open, and nothing was said
    # What neither a receipt nor a calendar looks like.
    assert {opened.pop(rpc) for rpc in ("GetStatus", "JudgeAnswer", "GetCalendarFile")} == {"FIELD_INVALID"}
    assert set(opened.values()) == {"TOKEN_INVALID"}
    told = await hearing.anonymously("SubmitOpinion", hearing.submission(intake))
    assert {field.name for field, _ in told.ListFields()} == {"opinion", "receipt", "acknowledge_due_time"}


async def unhurried(hearing: Hearing, path: str, message: bytes, token: str) -> Outcome:
    platform, service = hearing.tenant.platform, path.split(".")[1]
    async with grpc.aio.insecure_channel(platform.address(hearing.tenant.door, service)) as channel:

        async def ended() -> Outcome | None:
            found = await outcome(channel, path, [message], [("authorization", f"Bearer {token}")])
            return None if found.reason == "RATE_LIMITED" else found

        found = await until(ended)
    assert found is not None
    return found
