"""Recording many acts of duty at once: all of them, or none and every one at fault is named."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import grpc

from chassis.database import Database
from chassis.errors import Catalogue, FieldsInvalid
from quanyutong.registry.v1 import activities_pb2 as pb
from quanyutong.registry.v1 import errors_pb2
from services.registry import counting
from services.registry.activities import act_of, one_at_a_time
from services.registry.domain import Refused
from services.registry.recording import enter, known_of, publish_changes

Context = grpc.aio.ServicerContext[Any, Any]
CATALOGUE = Catalogue(errors_pb2.ErrorReason.DESCRIPTOR)


class BulkRecording:
    _database: Database

    async def RecordActivities(self, request: pb.RecordActivitiesRequest, _: Context) -> pb.RecordActivitiesResponse:
        acts = [act_of(given, f"activities[{index}]") for index, given in enumerate(request.activities)]
        with one_at_a_time():
            async with self._database.write() as tx:
                check_rows(acts, await known_of(tx, acts))
                rows = await enter(tx, acts)
                publish_changes(tx, after=acts)
                names = [f"activities/{row.id}" for row in rows]
                return tx.reply(pb.RecordActivitiesResponse(recorded=len(names), activities=names))


def check_rows(acts: Sequence[counting.Act], known: counting.Known) -> None:
    """Raises FieldsInvalid that names every row at fault, in the words in which it would be refused alone."""
    found = list(_faults(acts, known))
    if found:
        violations = [(f"activities[{index}].{field}", _words(refused)) for index, field, refused in found]
        raise FieldsInvalid(violations, "ROWS_REFUSED", count=len({index for index, _, _ in found}))


def _faults(acts: Sequence[counting.Act], known: counting.Known) -> Iterator[tuple[int, str, Refused]]:
    counted = dict(known.counted)
    so_far = replace(known, counted=counted)
    for index, act in enumerate(acts):
        for field, refused in counting.faults(act, so_far):
            yield index, field, refused
        if act.origin:
            counted.setdefault(act.origin, f"activities[{index}]")


def _words(refused: Refused) -> str:
    return " / ".join(text.format_map(refused.facts) for text in CATALOGUE[refused.reason].texts)
