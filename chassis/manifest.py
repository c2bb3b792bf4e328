"""What a service is, to the chassis: its wiring and its inventory, in one value."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import click
import grpc
from google.protobuf.descriptor import EnumDescriptor, ServiceDescriptor
from google.protobuf.message import Message

from chassis.database import Database, WriteTx
from chassis.figures import Figures
from chassis.peers import Peers
from chassis.vault import Vault


@dataclass(frozen=True, slots=True)
class Event:
    """Where an event comes from: its id, its district, the aggregate whose order it keeps."""

    id: UUID
    district: str
    type: str
    aggregate: str


EventHandler = Callable[[WriteTx, Any, Event], Awaitable[None]]
Seed = Callable[[Database], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Round:
    """What is done for one district after the other, acting for it; `every` are the seconds between two rounds."""

    name: str
    every: float
    visit: Callable[[Database, Vault], Awaitable[None]]


@dataclass(frozen=True)
class Manifest:
    """One service.

    `schema` tables not in `city_tables` belong to a district each. `unaudited` are those of a secret ballot,
    whose changes nobody may know, and copies of what another service audits; a comment beside them says why.
    `consumes` maps a message type to the function that applies it, in the transaction that records it as applied.
    `of_all_districts`: it adds up all of them, so that also those with a database of their own are in the pool here.
    `rounds` are made by the process that leads the service, district by district.
    `seals` is the event that tells the head of the audit's chain; without it nothing is sealed. `figures` are what it
    counts of a district for the city.
    `seed` brings shipped reference data into the database after each migration. `imported` does what
    is left to do for the district that it acts for, once its rows have come in an archive.
    """

    name: str
    service: ServiceDescriptor
    add_to_server: Callable[[Any, grpc.aio.Server], None]
    servicer: Callable[[Database, Vault, Peers], object]
    reasons: EnumDescriptor
    migrations: Path
    city_tables: frozenset[str] = frozenset()
    unaudited: frozenset[str] = frozenset()
    publishes: Sequence[type[Message]] = ()
    consumes: Mapping[type[Message], EventHandler] = field(default_factory=dict)
    of_all_districts: bool = False
    rounds: Sequence[Round] = ()
    seals: type[Message] | None = None
    figures: Figures | None = None
    seed: Seed | None = None
    imported: Seed | None = None
    commands: Sequence[click.Command] = ()


def package_of(event: str) -> str:
    """The service in an event's full name: `quanyutong.registry.v1.MandateEnded` -> `registry`."""
    return event.split(".")[1]


def subject_of(event: str, district: str = "*") -> str:
    """The NATS subject of an event type: `qyt.<district>.<service>.<event>`."""
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", event.rpartition(".")[2]).lower()
    return f"qyt.{district}.{package_of(event)}.{name}"
