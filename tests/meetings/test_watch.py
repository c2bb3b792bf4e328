"""Watching a meeting: whole at first, then each change, and nothing lost by a cut."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import grpc
import pytest
from pydantic import SecretStr

from chassis import auth, ending, tenancy
from chassis.auth import Caller
from chassis.database import Database
from chassis.embedded.ports import free_port
from chassis.migrations import runtime_url
from chassis.peers import Peers
from chassis.vault import Vault
from quanyutong.meetings.v1 import attendance_pb2, meeting_pb2, watch_pb2
from quanyutong.meetings.v1.meetings_pb2_grpc import MeetingsServiceStub
from quanyutong.registry.v1 import districts_pb2
from services.meetings import watching
from services.meetings.servicer import MeetingsServicer
from tests.conftest import Platforms, fresh_tenant
from tests.contract.office import NOBODY, mask
from tests.harness import Process, reason, until
from tests.meetings.secretariat import Secretariat, in_hours


def watch(secretariat: Secretariat, meeting: str, after: str = "") -> Any:
    request = watch_pb2.WatchMeetingRequest(name=meeting, after=after)
    return secretariat.tenant.meetings.WatchMeeting(request, metadata=secretariat.tenant.metadata(), timeout=60)


async def test_a_screen_sees_each_change_and_the_end(secretariat: Secretariat) -> None:
    meeting, mandates = await secretariat.ready(3, 2)
    call = watch(secretariat, meeting)
    first = await call.read()
    assert (first.phase, first.quorum.present, first.quorum.met) == (meeting_pb2.PHASE_PREPARATION, 2, True)
    await secretariat.do("Convene", meeting)
    assert (await call.read()).phase == meeting_pb2.PHASE_CONVENED
    leave = attendance_pb2.LeaveMeetingRequest(name=meeting, attendee=mandates[0])
    left = await secretariat.meet("LeaveMeeting", leave)
    lost = await call.read()
    assert (lost.quorum.missing, lost.quorum.lost_time) == (1, left.leave_time)
    await secretariat.do("Adjourn", meeting)
    await call.read()
    await secretariat.do("Close", meeting)
    assert (await call.read()).phase == meeting_pb2.PHASE_CLOSED
    assert await call.read() is grpc.aio.EOF


async def test_after_a_cut_what_was_missed_comes_at_once(secretariat: Secretariat) -> None:
    meeting, mandates = await secretariat.ready(3, 1)
    call = watch(secretariat, meeting)
    seen = (await call.read()).revision
    call.cancel()
    await secretariat.enter(meeting, mandates[1])
    again = watch(secretariat, meeting, seen)
    state = await again.read()
    assert (state.quorum.present, state.revision != seen) == (2, True)
    again.cancel()
    # Nothing was missed this time: the first that comes is the next change.
    third = watch(secretariat, meeting, state.revision)
    await secretariat.enter(meeting, mandates[2])
    assert (await third.read()).quorum.present == 3
    third.cancel()


async def test_a_meeting_that_is_not_there(secretariat: Secretariat) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await watch(secretariat, f"meetings/{NOBODY}").read()
    assert reason(refusal.value) == "ERROR_REASON_MEETING_NOT_FOUND"


class Line:
    """A line between a screen and the platform that somebody can cut."""

    def __init__(self, address: str) -> None:
        self._host, _, self._port = address.rpartition(":")
        self._writers: list[asyncio.StreamWriter] = []

    @asynccontextmanager
    async def laid(self) -> AsyncIterator[str]:
        """Yields the address of the near end."""
        server = await asyncio.start_server(self._connected, "127.0.0.1")
        try:
            host, port = server.sockets[0].getsockname()
            yield f"{host}:{port}"
        finally:
            server.close()
            self.cut()

    def cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(self._host, int(self._port))
        self._writers += [writer, far_writer]
        await asyncio.gather(_pass_on(reader, far_writer), _pass_on(far_reader, writer))


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while content := await reader.read(65536):
            writer.write(content)
            await writer.drain()
    writer.close()


async def test_a_line_that_is_cut_loses_nothing(secretariat: Secretariat) -> None:
    """What changed while there was no line comes at once when there is one again; what did not, does not."""
    meeting, mandates = await secretariat.ready(3, 1)
    tenant = secretariat.tenant
    line, metadata = Line(tenant.platform.address(tenant.door, "meetings")), tenant.metadata()
    async with line.laid() as near, grpc.aio.insecure_channel(near) as channel:
        stub: Any = MeetingsServiceStub(channel)
        call = stub.WatchMeeting(watch_pb2.WatchMeetingRequest(name=meeting), metadata=metadata, timeout=60)
        seen = (await call.read()).revision
        line.cut()
        with pytest.raises(grpc.aio.AioRpcError) as cut:
            await call.read()
        assert cut.value.code() == grpc.StatusCode.UNAVAILABLE
        await secretariat.enter(meeting, mandates[1])
        await secretariat.do("Convene", meeting)
        again = watch_pb2.WatchMeetingRequest(name=meeting, after=seen)
        state = await stub.WatchMeeting(again, metadata=metadata, timeout=60, wait_for_ready=True).read()
        assert (state.phase, state.quorum.present, state.quorum.frozen) == (meeting_pb2.PHASE_CONVENED, 2, True)


async def test_screens_take_no_place_from_telephones(secretariat: Secretariat) -> None:
    """As many streams as calls may go on at once, one beside the other."""
    meeting, mandates = await secretariat.ready(1, 0)
    district = districts_pb2.District(
        name=f"districts/{secretariat.district}", display_name="试验区", calls_in_flight=2
    )
    update = districts_pb2.UpdateDistrictRequest(district=district, update_mask=mask("calls_in_flight"))
    await secretariat.operate("UpdateDistrict", update)
    screens: list[Any] = []

    async def no_room() -> bool:
        screens.append(watch(secretariat, meeting))
        try:
            await screens[-1].read()
        except grpc.aio.AioRpcError as error:
            return reason(error) == "ERROR_REASON_DISTRICT_BUSY"
        return False

    await until(no_room)
    assert len(screens) >= 3
    await secretariat.enter(meeting, mandates[0])
    for screen in screens[:-1]:
        assert (await screen.read()).quorum.present == 1
        screen.cancel()


async def test_a_watch_ends_with_its_token(secretariat: Secretariat) -> None:
    meeting, _ = await secretariat.ready(0, 0)
    token = secretariat.tenant.platform.token(["viewer"], secretariat.district, lifetime=3)
    request = watch_pb2.WatchMeetingRequest(name=meeting)
    call = secretariat.tenant.meetings.WatchMeeting(request, metadata=[("authorization", f"Bearer {token}")])
    await call.read()
    with pytest.raises(grpc.aio.AioRpcError) as ended:
        await call.read()
    assert reason(ended.value) == "ERROR_REASON_TOKEN_EXPIRED"


async def test_signs_of_life_without_a_change(secretariat: Secretariat, monkeypatch: pytest.MonkeyPatch) -> None:
    """The servicer itself, so that nobody has to wait for the next one."""
    meeting, _ = await secretariat.ready(1, 0)
    platform = secretariat.tenant.platform
    settings = platform.settings.model_copy(update={"database_url": SecretStr(platform.postgres.url)})
    database = Database(runtime_url(settings, "meetings"), "meetings", 1, 30)
    servicer = MeetingsServicer(database, Vault.of(settings), Peers(settings))
    monkeypatch.setattr(watching, "INTERVAL", 0.01)
    ending.stopping.set(asyncio.Event())
    auth.caller.set(Caller("tester", secretariat.district, frozenset(), time.time() + 60))
    context: Any = None
    try:
        with tenancy.acting_for(secretariat.district):
            states: Any = servicer.WatchMeeting(watch_pb2.WatchMeetingRequest(name=meeting), context)
            first = await anext(states)
            monkeypatch.setattr(watching, "HEARTBEAT", 0.05)
            second = await anext(states)
            await states.aclose()
    finally:
        await database.close()
    assert second.revision == first.revision
    assert second.as_of_time.ToDatetime() > first.as_of_time.ToDatetime()


@pytest.fixture
async def alone(platforms: Platforms) -> AsyncIterator[Process]:
    """One more process of the meetings service; where the registry should be, nobody answers."""
    split = await platforms.get("split")
    places = {f"QYT_{name}": f"127.0.0.1:{free_port()}" for name in ("MEETINGS_LISTEN", "REGISTRY_ADDRESS")}
    folder = split.settings.state.parent
    process = await Process.start(
        "alone", ["services", "serve", "--target=meetings"], split.environment | places, folder
    )
    yield process
    await process.leashed.stop()


@pytest.fixture
async def split_secretariat(platforms: Platforms) -> AsyncIterator[Secretariat]:
    async with fresh_tenant(platforms, "split-direct") as tenant:
        yield Secretariat(tenant)


async def test_when_the_process_ends_its_screens_are_told_at_once(
    split_secretariat: Secretariat, alone: Process
) -> None:
    meeting, _ = await split_secretariat.ready(1, 1)
    async with grpc.aio.insecure_channel(alone.said["services"][0]) as channel:
        request = watch_pb2.WatchMeetingRequest(name=meeting)
        metadata = split_secretariat.tenant.metadata()
        stub: Any = MeetingsServiceStub(channel)
        call = stub.WatchMeeting(request, metadata=metadata, timeout=60)
        seen = (await call.read()).revision
        told = time.monotonic()
        os.kill(alone.leashed.pid, signal.SIGTERM)
        with pytest.raises(grpc.aio.AioRpcError) as ended:
            await call.read()
    assert (ended.value.code(), reason(ended.value)) == (
        grpc.StatusCode.UNAVAILABLE,
        "ERROR_REASON_SERVICE_UNAVAILABLE",
    )
    assert await alone.leashed.wait() == 0
    # Calls in flight may have twenty seconds; a watch takes none of them.
    assert time.monotonic() - told < 10
    elsewhere = watch(split_secretariat, meeting, seen)
    await split_secretariat.do("Convene", meeting)
    assert (await elsewhere.read()).phase == meeting_pb2.PHASE_CONVENED
    elsewhere.cancel()


async def test_without_the_registry_a_meeting_is_convened_and_its_roll_has_no_names(
    split_secretariat: Secretariat, alone: Process
) -> None:
    here, metadata = split_secretariat, split_secretariat.tenant.metadata()
    body = await here.assembly_of(2)
    meeting = (await here.meeting(body, in_hours(-1))).name
    async with grpc.aio.insecure_channel(alone.said["services"][0]) as channel:
        stub: Any = MeetingsServiceStub(channel)

        async def taken() -> bool:
            roll = await stub.InviteDelegates(attendance_pb2.InviteDelegatesRequest(name=meeting), metadata=metadata)
            assert roll.unnamed == roll.expected
            return bool(roll.expected == 2)

        await until(taken)
        await here.enter(meeting, *[each.mandate for each in await here.roll(meeting)])
        request = meeting_pb2.ConveneMeetingRequest(name=meeting)
        assert (await stub.ConveneMeeting(request, metadata=metadata)).phase == meeting_pb2.PHASE_CONVENED
    assert [each.display_name for each in await here.roll(meeting)] == ["", ""]
    assert (await here.quorum(meeting)).met
