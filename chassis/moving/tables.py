"""What a service holds of a district, asked of PostgreSQL's catalogue: no list to keep, so no table to forget."""

from collections.abc import Sequence, Set
from dataclasses import dataclass

import asyncpg

from chassis.manifest import Manifest

# Events that are not delivered yet are delivered from where they are, and once. What was told of the district's months
# is told again where it goes to: nobody there may have heard it.
LEFT_OUT = frozenset({"outbox", "told_month"})
# What the platform writes and clears by itself, whether or not anybody calls.
PASSING = frozenset({"outbox", "inbox", "idempotency", "told_month"})
OF_NO_DISTRICT = frozenset({"alembic_version"})
TEXTS = ("text", "character varying")
TABLES = """
    SELECT c.relname::text AS name,
           EXISTS (SELECT FROM pg_trigger WHERE tgrelid = c.oid AND NOT tgisinternal) AS watched,
           (SELECT array_agg(attname::text ORDER BY attnum) FROM pg_attribute
            WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = '') AS columns,
           (SELECT array_agg(format_type(atttypid, atttypmod) ORDER BY attnum) FROM pg_attribute
            WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = '') AS types,
           (SELECT array_agg(attname::text ORDER BY attnum) FROM pg_attribute
            WHERE attrelid = c.oid AND attidentity <> '') AS counted,
           (SELECT array_agg(attname::text ORDER BY array_position(conkey, attnum)) FROM pg_attribute
            JOIN pg_constraint ON conrelid = attrelid AND contype = 'p' AND attnum = ANY (conkey)
            WHERE attrelid = c.oid) AS key
    FROM pg_class c WHERE relnamespace = $1::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition"""
REFERENCES = """
    SELECT c.relname::text AS name, other.relname::text AS target, a.attname::text AS target_column
    FROM pg_constraint JOIN pg_class c ON c.oid = conrelid JOIN pg_class other ON other.oid = confrelid
    JOIN pg_attribute a ON a.attrelid = confrelid AND a.attnum = confkey[1]
    WHERE contype = 'f' AND c.relnamespace = $1::regnamespace AND conrelid <> confrelid"""


@dataclass(frozen=True)
class Table:
    """A table that holds rows of districts.

    `district` is the column that says whose they are; `counted` are those numbered by the database. A table of the
    city's is here for the one entry that the district's rows refer to. Writing to a watched table has triggers write
    elsewhere.
    """

    schema: str
    name: str
    district: str
    columns: tuple[str, ...]
    types: tuple[str, ...]
    key: tuple[str, ...]
    counted: tuple[str, ...]
    watched: bool
    of_city: bool

    @property
    def quoted(self) -> str:
        return f"{quoted(self.schema)}.{quoted(self.name)}"

    @property
    def file(self) -> str:
        return f"{self.schema}/{self.name}.jsonl"

    @property
    def listed(self) -> str:
        return ", ".join(map(quoted, self.columns))

    @property
    def lines(self) -> str:
        """The query for its rows of $1 as JSON, a line each. The same rows give the same text."""
        kinds = dict(zip(self.columns, self.types, strict=True))
        order = ", ".join(quoted(name) + (' COLLATE "C"' if kinds[name] in TEXTS else "") for name in self.key)
        rows = f"SELECT {self.listed} FROM {self._rows} ORDER BY {order}"  # noqa: S608 - names of the catalogue
        return f"SELECT replace(row_to_json(found)::text, E'\\n', ' ') FROM ({rows}) AS found"  # noqa: S608

    @property
    def counting(self) -> str:
        return f"SELECT count(*) FROM {self._rows}"  # noqa: S608

    @property
    def clearing(self) -> str:
        return f"DELETE FROM {self._rows}"  # noqa: S608

    @property
    def _rows(self) -> str:
        """Those of $1, which row-level security would give alone."""
        return f"{self.quoted} WHERE {quoted(self.district)} = $1"


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


async def tables_of(connection: asyncpg.Connection, manifest: Manifest) -> list[Table]:
    """In the order in which they can be filled: what is referred to first, what triggers write to last."""
    references = await connection.fetch(REFERENCES, manifest.name)
    entries = {row["target"]: row["target_column"] for row in references if row["target"] in manifest.city_tables}
    tables = [
        _table(manifest, row, entries.get(row["name"], "district"))
        for row in await connection.fetch(TABLES, manifest.name)
        if row["name"] not in OF_NO_DISTRICT and (row["name"] not in manifest.city_tables or row["name"] in entries)
    ]
    return _ordered(tables, {(row["name"], row["target"]) for row in references})


def _table(manifest: Manifest, row: asyncpg.Record, district: str) -> Table:
    return Table(
        schema=manifest.name,
        name=row["name"],
        district=district,
        columns=tuple(row["columns"]),
        types=tuple(row["types"]),
        key=tuple(row["key"]),
        counted=tuple(row["counted"] or ()),
        watched=row["watched"],
        of_city=row["name"] in manifest.city_tables,
    )


def _ordered(tables: Sequence[Table], references: Set[tuple[str, str]]) -> list[Table]:
    """Raises ValueError for tables that refer to each other in a circle: no order could fill those."""
    waiting = {table.name: table for table in tables}
    ordered = list[Table]()
    while waiting:
        held = {name for name, target in references if target in waiting}
        ready = [table for name, table in waiting.items() if name not in held]
        if not ready:
            raise ValueError(f"tables refer to each other in a circle: {', '.join(sorted(waiting))}")
        chosen = min(ready, key=lambda table: (not table.watched, table.name))
        ordered.append(waiting.pop(chosen.name))
    return ordered
