"""What came before a meeting: inspections, collections of opinions, and opinions.

An activity stands in the registry, which is asked with the caller's own token whether it is there. Opinions belong to a
service that is still to come: the name of one is kept as it was given.
"""

from typing import Any

import grpc
from sqlalchemy import bindparam, delete, insert, select

from chassis.database import Database, Row
from chassis.errors import Refusal
from chassis.pagination import page
from chassis.peers import Metadata, Peers, as_caller
from chassis.sql import Sql
from chassis.wire import identifier, number, timestamp, word
from quanyutong.meetings.v1 import preparations_pb2 as pb
from quanyutong.registry.v1 import activities_pb2
from quanyutong.registry.v1.registry_pb2_grpc import RegistryServiceStub
from services.meetings.agenda import lock_meeting
from services.meetings.domain import Refused
from services.meetings.meetings import load_meeting, meeting_name
from services.meetings.names import PATIENCE, SERVICE
from services.meetings.sitting import load_entry
from services.meetings.tables import preparation

Context = grpc.aio.ServicerContext[Any, Any]
# Until a meeting is closed, or given up.
LINKING = ("preparation", "postponed", "convened", "summary")
COLLECTIONS = {
    pb.PREPARATION_KIND_INSPECTION: "activities",
    pb.PREPARATION_KIND_OPINION_COLLECTION: "activities",
    pb.PREPARATION_KIND_OPINION: "opinions",
}
READ = Sql(select(preparation).where(preparation.c.id == bindparam("key")))
LINKED = Sql(
    select(preparation.c.id).where(
        preparation.c.meeting == bindparam("meeting"), preparation.c.source == bindparam("source")
    )
)
ENTER = Sql(insert(preparation).returning(preparation), columns=("meeting", "kind", "source", "note"))
REMOVE = Sql(delete(preparation).where(preparation.c.id == bindparam("key")))


class Preparations:
    _database: Database
    _peers: Peers

    async def LinkPreparation(self, request: pb.LinkPreparationRequest, context: Context) -> pb.Preparation:
        given = request.preparation
        await _check_source(self._peers, as_caller(context), given)
        async with self._database.write() as tx:
            row = await lock_meeting(tx, request.parent, LINKING)
            if await tx.first(LINKED, meeting=row.id, source=given.source):
                raise Refused("PREPARATION_LINKED", source=given.source)
            values = {"kind": word(pb.PreparationKind, given.kind), "source": given.source, "note": given.note}
            return tx.reply(_message(await tx.one(ENTER, meeting=row.id, **values)))

    async def ListPreparations(self, request: pb.ListPreparationsRequest, _: Context) -> pb.ListPreparationsResponse:
        async with self._database.read() as tx:
            meeting = await load_meeting(tx, request.parent)
            statement = select(preparation).where(preparation.c.meeting == meeting.id)
            rows, token = await page(tx, request, statement, (preparation.c.id, identifier))
        return pb.ListPreparationsResponse(preparations=map(_message, rows), next_page_token=token)

    async def UnlinkPreparation(self, request: pb.UnlinkPreparationRequest, _: Context) -> pb.UnlinkPreparationResponse:
        async with self._database.write() as tx:
            await lock_meeting(tx, meeting_name((await load_entry(tx, READ, request.name)).meeting), LINKING)
            row = await load_entry(tx, READ, request.name)
            await tx.execute(REMOVE, key=row.id)
            return tx.reply(pb.UnlinkPreparationResponse())


async def _check_source(peers: Peers, caller: Metadata, given: pb.Preparation) -> None:
    """Asked before the transaction. Raises Refused PREPARATION_SOURCE_REFUSED, Refusal SERVICE_UNAVAILABLE."""
    collection = given.source.partition("/")[0]
    fits = collection == COLLECTIONS[given.kind]
    if not fits or (collection == "activities" and not await _is_counted(peers, caller, given.source)):
        raise Refused(
            "PREPARATION_SOURCE_REFUSED", source=given.source, kind=word(pb.PreparationKind, given.kind).upper()
        )


async def _is_counted(peers: Peers, caller: Metadata, activity: str) -> bool:
    """Whether the registry has the activity, and it was not withdrawn."""
    registry = RegistryServiceStub(peers.channel("registry", SERVICE))
    request = activities_pb2.GetActivityRequest(name=activity)
    try:
        found = await registry.GetActivity(request, metadata=caller, timeout=PATIENCE)
    except grpc.aio.AioRpcError as error:
        if error.code() is grpc.StatusCode.NOT_FOUND:
            return False
        raise Refusal("SERVICE_UNAVAILABLE") from error
    return not found.withdrawal_reason


def _message(row: Row) -> pb.Preparation:
    return pb.Preparation(
        name=f"preparations/{row.id}",
        meeting=meeting_name(row.meeting),
        kind=number(pb.PreparationKind, row.kind),
        source=row.source,
        note=row.note,
        create_time=timestamp(row.created_at),
    )
