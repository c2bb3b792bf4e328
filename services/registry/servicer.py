"""The registry's RPCs, each in the file of its resource."""

from collections import Counter

from chassis.auditing import Audits
from chassis.database import Database
from chassis.peers import Peers
from chassis.vault import Vault
from quanyutong.registry.v1.registry_pb2_grpc import RegistryServiceServicer
from services.registry.activities import Activities
from services.registry.assemblies import Assemblies
from services.registry.attendance import Attendance
from services.registry.bulk_recording import BulkRecording
from services.registry.compositions import Compositions
from services.registry.contacts import Contacts
from services.registry.districts import Districts
from services.registry.export import Export
from services.registry.importing import Imports
from services.registry.keys import DistrictKeys
from services.registry.mandates import Mandates
from services.registry.merging import Merging
from services.registry.oversight import Oversight
from services.registry.performance import PerformanceRecord
from services.registry.persons import Persons
from services.registry.registration import Registration
from services.registry.rota import Rota
from services.registry.rules import Rules
from services.registry.secrets import Secrets
from services.registry.stations import Stations
from services.registry.subscribing import Subscribing
from services.registry.successions import Successions
from services.registry.summary import Summaries
from services.registry.suspensions import Suspensions
from services.registry.term_change import TermChanges
from services.registry.units import Units


class Registry(
    Districts,
    Units,
    Rules,
    Assemblies,
    Persons,
    Mandates,
    Registration,
    Summaries,
    Suspensions,
    TermChanges,
    Compositions,
    Audits,
    Stations,
    Rota,
    Contacts,
    Oversight,
    Attendance,
    Secrets,
    Merging,
    DistrictKeys,
    Activities,
    BulkRecording,
    PerformanceRecord,
    Export,
    Imports,
    Successions,
    Subscribing,
    RegistryServiceServicer,
):
    """One method an RPC: load, decide, save, publish, reply."""

    def __init__(self, database: Database, vault: Vault, peers: Peers) -> None:
        self._database = database
        self._vault = vault
        self._peers = peers
        self._lines = Counter()
