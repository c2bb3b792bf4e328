"""The platform that the demo talks to: the one that runs in this checkout, or one started for as long as it lasts."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import grpc

from chassis import client, whereabouts
from chassis.embedded.leashed import Leashed
from chassis.settings import Settings
from quanyutong.ballots.v1 import ballots_pb2
from quanyutong.feedback.v1 import feedback_pb2
from quanyutong.meetings.v1 import meetings_pb2
from quanyutong.registry.v1 import registry_pb2
from quanyutong.registry.v1.districts_pb2 import ListDistrictsRequest
from quanyutong.registry.v1.registry_pb2_grpc import RegistryServiceStub
from quanyutong_client.hall import Hall

COMMAND = (sys.executable, "-m", "services", "serve", "--target", "all")
SERVICES = (
    registry_pb2.DESCRIPTOR.services_by_name["RegistryService"],
    meetings_pb2.DESCRIPTOR.services_by_name["MeetingsService"],
    ballots_pb2.DESCRIPTOR.services_by_name["BallotsService"],
    feedback_pb2.DESCRIPTOR.services_by_name["FeedbackService"],
)
# Thousands of entries are made at once, on whatever machine it is: each may wait for others.
ENTERED_WITHIN = 60.0
READY_WITHIN = 90.0
ANSWERS_WITHIN = 3.0
STOP_GRACE = 40.0
POLL = 0.05


class PlatformFailed(Exception):
    """The platform could not be started. The text says why."""


@asynccontextmanager
async def standing(settings: Settings, token: str) -> AsyncIterator[tuple[str, bool]]:
    """The gateway's URL, and whether the platform ran before. What is started here ends with the block."""
    found = whereabouts.find(settings, "gateway")
    if found and await _answers(found, token):
        yield found, True
        return
    log = settings.state / "log" / "demo.log"
    log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    log.unlink(missing_ok=True)
    platform = await Leashed.start(COMMAND, log, signal.SIGTERM, STOP_GRACE)
    try:
        yield await _gateway(platform, log), False
    finally:
        await platform.stop()


def connected(gateway: str) -> grpc.aio.Channel:
    """A channel to the gateway, as any client makes one."""
    url = urlsplit(gateway)
    credentials = grpc.ssl_channel_credentials() if url.scheme == "https" else None
    return client.channel(url.netloc, SERVICES, credentials, deadline=ENTERED_WITHIN)


def hall_at(gateway: str) -> Callable[[str], Hall]:
    """What opens the hall of a poll there, as a delegate's device does."""
    url = urlsplit(gateway)
    credentials = grpc.ssl_channel_credentials() if url.scheme == "https" else None
    return lambda poll: Hall(url.netloc, poll, credentials)


async def _answers(gateway: str, token: str) -> bool:
    """Whether a platform is there and takes our tokens: the note of one that crashed stays behind."""
    async with connected(gateway) as channel:
        try:
            await RegistryServiceStub(channel).ListDistricts(
                ListDistrictsRequest(page_size=1),
                metadata=(("authorization", f"Bearer {token}"),),
                timeout=ANSWERS_WITHIN,
            )
        except grpc.aio.AioRpcError:
            return False
    return True


async def _gateway(platform: Leashed, log: Path) -> str:
    """The URL that the platform announces. Raises PlatformFailed."""
    deadline = asyncio.get_running_loop().time() + READY_WITHIN
    while asyncio.get_running_loop().time() < deadline:
        running = platform.running  # before the log is read: what ended has said all by then
        if announced := next(filter(_announces, _lines(log)), None):
            return str(json.loads(announced)["gateway"])
        if not running:
            raise PlatformFailed(f"the platform ended: {''.join(_lines(log)[-1:])} (all of it: {log})")
        await asyncio.sleep(POLL)
    raise PlatformFailed(f"the platform was not ready within {READY_WITHIN:.0f} s, see {log}")


def _announces(line: str) -> bool:
    return line.startswith('{"gateway"')


def _lines(log: Path) -> list[str]:
    return log.read_text().splitlines()
