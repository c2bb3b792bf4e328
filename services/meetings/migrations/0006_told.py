"""Copies of the registry's entries say which event they are of: an older one that comes late changes nothing."""

from alembic import op

revision = "0006"
down_revision = "0005"

COPIES = ("assembly", "station", "rota_entry", "suspension")


def upgrade() -> None:
    for table in COPIES:
        op.execute(f"ALTER TABLE {table} ADD COLUMN told uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000'")
