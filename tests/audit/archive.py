"""The audit of one district, as the database's administrator sees it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
from pydantic import SecretStr

from chassis.database import Database
from chassis.migrations import runtime_url
from tests.harness import Platform


@dataclass(frozen=True)
class Record:
    """One record, with its JSON read."""

    subject: str
    roles: tuple[str, ...]
    rpc: str
    request_id: str
    action: str
    resource: str
    key: Mapping[str, Any]
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None

    @property
    def change(self) -> tuple[str, str]:
        return self.action, self.resource


class Archive:
    def __init__(self, connection: asyncpg.Connection, district: str) -> None:
        self.connection = connection
        self.district = district

    async def records(self, resource: str = "%") -> Sequence[Record]:
        """In the order in which they were made."""
        rows = await self.connection.fetch(
            """SELECT subject, roles, rpc, request_id, action, resource, key, before, after FROM audit
               WHERE district = $1 AND resource LIKE $2 ORDER BY id""",
            self.district,
            resource,
        )
        return [Record(row[0], tuple(row[1]), *row[2:6], *map(_read, row[6:])) for row in rows]


def _read(value: str | None) -> Any:
    return None if value is None else json.loads(value)


def opened(platform: Platform, connections: int = 2) -> Database:
    """The registry's database, as the role that serves calls sees it."""
    settings = platform.settings.model_copy(update={"database_url": SecretStr(platform.postgres.url)})
    return Database(runtime_url(settings, "registry"), "registry", connections, 30)
