"""Persons who were merged: which entry was kept of a person who had two, as the registry told it.

Each service that names people keeps a copy. It comes to the same in whatever order merges are told: an entry leads to
the one that is kept today, never to one that was merged itself.
"""

from uuid import UUID

from sqlalchemy import Column, MetaData, PrimaryKeyConstraint, Table, Uuid, text

from chassis import columns
from chassis.database import ReadTx, WriteTx
from chassis.sql import Sql
from chassis.wire import identifier
from quanyutong.registry.v1.events_pb2 import PersonMerged

KEPT = Sql(text("SELECT kept FROM merged_person WHERE id = :id"))
MERGED = Sql(
    text("""INSERT INTO merged_person (id, kept) VALUES (:id, :kept)
            ON CONFLICT (district, id) DO UPDATE SET kept = :kept""")
)
MERGED_BEFORE = Sql(text("UPDATE merged_person SET kept = :kept WHERE kept = :id"))


def merged_person(metadata: MetaData) -> Table:
    return Table(
        "merged_person",
        metadata,
        columns.district(),
        Column("id", Uuid, nullable=False),
        Column("kept", Uuid, nullable=False),
        PrimaryKeyConstraint("district", "id"),
    )


async def kept_person(tx: ReadTx, key: UUID) -> UUID:
    """The entry of a person; where two entries were merged, the one that was kept."""
    row = await tx.first(KEPT, id=key)
    return row.kept if row else key


async def merge(tx: WriteTx, event: PersonMerged, *moves: Sql) -> None:
    """Keeps it, and makes the service's `moves`: statements by which what was of `:id` is of `:kept`."""
    pair = {"id": identifier(event.merged), "kept": await kept_person(tx, identifier(event.keep))}
    for statement in (MERGED, MERGED_BEFORE, *moves):
        await tx.execute(statement, **pair)
