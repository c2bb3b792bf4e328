"""A full hall that scans the code at the same moment: everybody is counted, and nobody twice."""

import asyncio
import random
from functools import partial
from typing import Any
from uuid import uuid4

import grpc

from quanyutong.meetings.v1 import attendance_pb2 as pb
from quanyutong.meetings.v1 import meeting_pb2
from tests.contract.office import in_days, new_people
from tests.faults.breaking import holding
from tests.harness import until
from tests.meetings.secretariat import Secretariat, in_hours, own_token, told_exactly

CONGRESS_SESSION = meeting_pb2.MEETING_KIND_CONGRESS_SESSION
SEATS = 200
# What a district's system tries again: docs/operations.md, "A hall that checks in".
AGAIN = {grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.UNAVAILABLE}
HOLD = "SELECT FROM meetings.meeting WHERE district = $1 FOR UPDATE"
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 3.0


class Device:
    """A delegate's telephone, as careful as a district's system is: the same request until it is answered."""

    def __init__(self, secretariat: Secretariat, meeting: str, code: str, person: str) -> None:
        self._send = secretariat.tenant.meetings.CheckIn
        self._metadata = own_token(secretariat, person)
        self._request = pb.CheckInRequest(name=meeting, code=code, request_id=str(uuid4()))
        self.told_to_come_again = 0

    async def check_in(self) -> Any:
        pause = FIRST_PAUSE
        while True:
            try:
                return await self._send(self._request, metadata=self._metadata)
            except grpc.aio.AioRpcError as error:
                if error.code() not in AGAIN:
                    raise
                self.told_to_come_again += 1
            await asyncio.sleep(random.uniform(0, pause))
            pause = min(2 * pause, LONGEST_PAUSE)


async def told_to_come_again(devices: list[Device]) -> bool:
    return any(device.told_to_come_again for device in devices)


async def test_two_hundred_check_in_at_once_and_one_of_them_twice(secretariat: Secretariat) -> None:
    term = await secretariat.term(await secretariat.congress())
    await secretariat.register(term, new_people(SEATS, **secretariat.facts(term)), day=in_days(-300))
    body = term.partition("/terms/")[0]
    meeting = (await secretariat.meeting(body, in_hours(-1), kind=CONGRESS_SESSION)).name
    people = [each.person for each in await secretariat.called(meeting, SEATS)]
    before = await secretariat.quorum(meeting)
    code = (await secretariat.meet("IssueCheckInCode", pb.IssueCheckInCodeRequest(name=meeting))).code

    devices = [Device(secretariat, meeting, code, person) for person in [*people, people[0]]]
    # For a moment nothing goes on, so that more wait than a district has places.
    async with holding(secretariat.tenant.platform, HOLD, secretariat.district) as let_go:
        crowd = asyncio.gather(*(device.check_in() for device in devices))
        await until(partial(told_to_come_again, devices))
        await let_go()
    answers = await crowd
    assert answers[0] == answers[-1]
    assert {answer.person for answer in answers} == set(people)
    assert all(answer.present and answer.method == pb.CHECK_IN_METHOD_CODE for answer in answers)

    found = await secretariat.quorum(meeting)
    assert (before.expected, before.needed, before.met) == (SEATS, 134, False)
    assert (found.expected, found.needed, found.present, found.met) == (SEATS, 134, SEATS, True)
    assert await secretariat.movements(meeting) == SEATS
    await secretariat.do("Convene", meeting)
    assert (await secretariat.quorum(meeting)).expected == SEATS
    await until(partial(told_exactly, secretariat, SEATS))
