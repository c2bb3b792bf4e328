"""Obligations (年度会议义务): what assemblies and stations owe in a year, and how far it is."""

from datetime import timedelta
from typing import Any

import grpc

from chassis import clock
from chassis.database import Database
from chassis.pagination import slice_page
from chassis.wire import date_message, identifier, number, word
from chassis.working_days import is_provisional
from quanyutong.meetings.v1 import plan_pb2 as pb
from services.meetings.domain import Refused
from services.meetings.obligations import STATIONS, Standing
from services.meetings.year import load_standings

Context = grpc.aio.ServicerContext[Any, Any]


class Obligations:
    """Nothing of them is stored: they follow from rules, bodies and meetings."""

    _database: Database

    async def ListObligations(self, request: pb.ListObligationsRequest, _: Context) -> pb.ListObligationsResponse:
        today = clock.today()
        body = identifier(request.body) if request.body else None
        async with self._database.read() as tx:
            found = await load_standings(tx, request.year or today.year, today, body)
        kind, state = word(pb.ObligationKind, request.kind), word(pb.ObligationState, request.state)
        chosen = [
            each
            for each in found
            if (not kind or each.obligation.due.kind == kind)
            and (not state or each.state == state)
            and (not request.body or body_of(each.obligation.body.kind, each.obligation.body.id) == request.body)
        ]
        entries, token = slice_page(request, chosen, lambda each: each.obligation.sort_key)
        return pb.ListObligationsResponse(obligations=map(_message, entries), next_page_token=token)

    async def GetObligation(self, request: pb.GetObligationRequest, _: Context) -> pb.Obligation:
        key = request.name.removeprefix("obligations/")
        year, body = int(key.partition(".")[0]), identifier(key.rpartition(".")[2])
        async with self._database.read() as tx:
            found = await load_standings(tx, year, clock.today(), body)
        for each in found:
            if each.obligation.key == key:
                return _message(each)
        raise Refused("OBLIGATION_NOT_FOUND", obligation=request.name)


def body_of(kind: str, key: str) -> str:
    return f"stations/{key}" if kind in STATIONS else f"assemblies/{key}"


def _message(standing: Standing) -> pb.Obligation:
    body, due = standing.obligation.body, standing.obligation.due
    return pb.Obligation(
        name=f"obligations/{standing.obligation.key}",
        body=body_of(body.kind, body.id),
        kind=number(pb.ObligationKind, due.kind),
        year=due.year,
        ordinal=due.ordinal,
        window_start=date_message(due.first),
        due_date=date_message(due.last),
        notice_date=date_message(due.last - timedelta(days=due.notice)),
        state=number(pb.ObligationState, standing.state),
        meeting=standing.meeting,
        rule_versions=due.versions,
        provisional=is_provisional(due.year),
    )
