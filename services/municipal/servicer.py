"""The RPCs of the municipal service, each in the file of what it answers. All of them only read."""

from chassis.database import Database
from chassis.peers import Peers
from chassis.vault import Vault
from quanyutong.municipal.v1.municipal_pb2_grpc import MunicipalServiceServicer
from services.municipal.exports import Exports
from services.municipal.lists import Lists
from services.municipal.overviews import Overviews
from services.municipal.watching import Watching


class MunicipalServicer(Overviews, Watching, Lists, Exports, MunicipalServiceServicer):
    """One method an RPC: load, add up, answer."""

    def __init__(self, database: Database, _vault: Vault, _peers: Peers) -> None:
        self._database = database
