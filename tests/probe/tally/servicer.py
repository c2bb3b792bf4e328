"""The tally's one RPC."""

from typing import Any

import grpc
from sqlalchemy import text

from chassis.database import Database
from chassis.peers import Peers
from chassis.vault import Vault
from tests.probe.stubs import compiled

tally_pb2, tally_pb2_grpc = compiled("tally")
COUNTS = ("assemblies", "terms", "confirmed", "ended", "disordered")


class Tallies(tally_pb2_grpc.TallyServiceServicer):  # type: ignore[name-defined, misc]
    def __init__(self, database: Database, _: Vault, __: Peers) -> None:
        self._database = database

    async def GetTally(self, _: Any, __: grpc.aio.ServicerContext[Any, Any]) -> Any:
        async with self._database.read() as tx:
            row = await tx.first(text(f"SELECT {', '.join(COUNTS)} FROM tally"))
        return tally_pb2.Tally(**dict(row or {}))
