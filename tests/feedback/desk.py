"""A feedback service in this process, at the database of a platform, where it is the day that a test says."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import date, datetime, time
from uuid import UUID

import asyncpg
import grpc
import pytest
from pydantic import SecretStr

from chassis import clock, development
from chassis.auth import Keys, Verifier
from chassis.database import Database
from chassis.directory import Directory, District
from chassis.migrations import runtime_url
from chassis.peers import Peers
from chassis.server import listening
from chassis.telemetry import Telemetry
from quanyutong.feedback.v1.feedback_pb2_grpc import FeedbackServiceStub
from services.feedback.manifest import MANIFEST
from tests.conftest import Tenant
from tests.feedback.hearing import Hearing

CONNECTIONS = 4
DATED = """UPDATE feedback.opinion_step SET at = $2 WHERE id =
           (SELECT max(id::text)::uuid FROM feedback.opinion_step WHERE opinion = $1)"""


class Desk(Hearing):
    """The office for residents' opinions, on any day. `day` is the day that it is for the service."""

    day = clock.today()

    async def step_was_today(self, name: str) -> None:
        """The database's own clock goes on: this has the last step of an opinion happen on the test's day."""
        connection = await asyncpg.connect(self.tenant.platform.postgres.url)
        try:
            await connection.execute("SELECT set_config('app.district', $1, false)", self.district)
            noon = datetime.combine(self.day, time(12), clock.SHANGHAI)
            await connection.execute(DATED, UUID(name.partition("/")[2]), noon)
        finally:
            await connection.close()

    async def look(self, day: date | None = None) -> None:
        await super().look(day or self.day)


@asynccontextmanager
async def open_desk(tenant: Tenant, patch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    """Its events are relayed by the platform, which has its outbox."""
    own = {"database_url": SecretStr(tenant.platform.postgres.url), "listen": "127.0.0.1:0"}
    settings = tenant.platform.settings.model_copy(update=own)
    async with AsyncExitStack() as stack:
        database = Database(runtime_url(settings, "feedback"), "feedback", CONNECTIONS, settings.statement_timeout)
        stack.push_async_callback(database.close)
        telemetry = Telemetry(settings, "desk")
        stack.callback(telemetry.close)
        verifier = Verifier(Keys(development.jwks(settings)), settings.issuer, settings.audience)
        directory = Directory([District(tenant.district, "试验区")])
        serving = listening(settings, [(MANIFEST, database)], verifier, directory, telemetry, Peers(settings))
        address = (await stack.enter_async_context(serving)).address
        channel = await stack.enter_async_context(grpc.aio.insecure_channel(address))
        desk = Desk(replace(tenant, feedback=FeedbackServiceStub(channel)))
        patch.setattr(clock, "today", lambda: desk.day)
        yield desk
