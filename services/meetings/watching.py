"""Watching a meeting: its live state, for the screens of a hall.

Each message is the whole state, so nothing is lost with a message that was
missed. The state is read again twice a second: one count of the roll, which for
a few screens costs less than a channel of notifications would.
"""

import hashlib
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import grpc

from chassis import auth, ending
from chassis.database import Database
from chassis.errors import Refusal
from chassis.wire import number, timestamp
from quanyutong.meetings.v1 import meeting_pb2
from quanyutong.meetings.v1 import watch_pb2 as pb
from services.meetings.attendance import quorum_message
from services.meetings.floor import floor
from services.meetings.meetings import load_meeting, meeting_name
from services.meetings.roll import COUNTS

Context = grpc.aio.ServicerContext[Any, Any]
INTERVAL = 0.5
HEARTBEAT = 15.0
OVER = (meeting_pb2.PHASE_CLOSED, meeting_pb2.PHASE_CANCELLED)


class Watching:
    _database: Database

    async def WatchMeeting(self, request: pb.WatchMeetingRequest, _: Context) -> AsyncIterator[pb.MeetingState]:
        seen, spoken = request.after, time.monotonic()
        while True:
            state = await self._state(request.name)
            if state.revision != seen or time.monotonic() - spoken >= HEARTBEAT:
                seen, spoken = state.revision, time.monotonic()
                state.as_of_time.CopyFrom(timestamp(datetime.now(UTC)))
                yield state
            if state.phase in OVER:
                return
            # No transaction is open meanwhile. With the process the watch ends, and its screen goes to another one.
            await ending.pause(INTERVAL)
            if auth.caller.get().expires <= time.time():
                raise Refusal("TOKEN_EXPIRED")

    async def _state(self, name: str) -> pb.MeetingState:
        async with self._database.read() as tx:
            row = await load_meeting(tx, name)
            counts = await tx.one(COUNTS, meeting=row.id)
            quorum = await quorum_message(tx, row, counts)
            # Who speaks is named in the hall and in its district, and not to the city.
            state = await floor(tx, row.id, named=not auth.caller.get().municipal)
        state.MergeFrom(
            pb.MeetingState(
                meeting=meeting_name(row.id),
                phase=number(meeting_pb2.Phase, row.phase),
                quorum=quorum,
                observers_present=counts.observers,
                on_leave=counts.on_leave,
            )
        )
        content = f"{row.revision} {counts.revisions} ".encode() + state.SerializeToString(deterministic=True)
        state.revision = hashlib.sha256(content).hexdigest()[:16]
        return state
