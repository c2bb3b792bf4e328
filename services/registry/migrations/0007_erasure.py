"""The city keeps a sealed record of each erasure of a district."""

from alembic import op
from sqlalchemy import text

revision = "0007"
down_revision = "0006"

# No reference to the directory: the record outlives whatever it is about. No right to it but the owner's: it is
# written and read by `qyt districts`, by no call.
STATEMENTS = (
    """CREATE TABLE erasure (
        district text NOT NULL CHECK (district ~ '^[0-9]{6}$'),
        id uuid NOT NULL DEFAULT uuidv7(),
        record text NOT NULL,
        key_id text NOT NULL,
        seal bytea NOT NULL,
        PRIMARY KEY (district, id)
    )""",
    "ALTER TABLE erasure ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE erasure FORCE ROW LEVEL SECURITY",
    "CREATE POLICY records ON erasure FOR SELECT USING (true)",
    "CREATE POLICY record_kept ON erasure FOR INSERT WITH CHECK (district = current_setting('app.district', true))",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(text(statement))
