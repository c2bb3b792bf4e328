"""Watching the overview. What changed since a cursor comes at once; what changes meanwhile comes together.

The cursor is the number of the last change that was seen. It is looked at once a second, along an index.
"""

import time
from collections.abc import AsyncIterator
from typing import Any

import grpc
from sqlalchemy import text

from chassis import auth, ending
from chassis.database import Database, ReadTx
from chassis.errors import Refusal
from chassis.sql import Sql
from chassis.wire import date_message
from quanyutong.municipal.v1 import overviews_pb2 as pb
from services.municipal.domain import Refused
from services.municipal.overviews import city_messages, column
from services.municipal.sums import DISTRICTS, as_of, measures_by_district, month_of

Context = grpc.aio.ServicerContext[Any, Any]
INTERVAL = 1.0
HEARTBEAT = 15.0
LAST = Sql(text("SELECT coalesce(max(change), 0) AS change FROM sheet"))
SINCE = Sql(text("SELECT DISTINCT district FROM sheet WHERE change > :change"))
NEVER = -1


class Watching:
    _database: Database

    async def WatchOverview(self, request: pb.WatchOverviewRequest, _: Context) -> AsyncIterator[pb.OverviewChange]:
        (seen, month), spoken = _read(request.cursor), time.monotonic()
        while True:
            async with self._database.read_city() as tx:
                last = (await tx.one(LAST)).change
                if seen > last:
                    raise Refused("CURSOR_INVALID")
                if last > seen or time.monotonic() - spoken >= HEARTBEAT:
                    change = await _change(tx, seen, last, month)
                    seen, month, spoken = last, change.cursor.partition(".")[0], time.monotonic()
                    yield change
            # No transaction is open meanwhile. With the process the watch ends, and its screen goes to another one.
            await ending.pause(INTERVAL)
            if auth.caller.get().expires <= time.time():
                raise Refusal("TOKEN_EXPIRED")


async def _change(tx: ReadTx, seen: int, last: int, before: str) -> pb.OverviewChange:
    month = await month_of(tx, None)
    found, districts = await measures_by_district(tx, month), await tx.all(DISTRICTS, month=month)
    complete = seen == NEVER or before not in ("", f"{month:%Y%m}")
    changed = {row.district for row in await tx.all(SINCE, change=seen)}
    return pb.OverviewChange(
        month=date_message(month),
        measures=city_messages(found, districts),
        districts=[column(row, found) for row in districts if complete or row.code in changed],
        complete=complete,
        cursor=f"{month:%Y%m}.{last}",
        as_of=await as_of(tx),
    )


def _read(cursor: str) -> tuple[int, str]:
    """The last change that was seen, and the month in which. Raises Refused CURSOR_INVALID."""
    if not cursor:
        return NEVER, ""
    month, _, change = cursor.partition(".")
    if not (month.isascii() and month.isdecimal() and change.isascii() and change.isdecimal() and len(change) < 19):
        raise Refused("CURSOR_INVALID")
    return int(change), month
