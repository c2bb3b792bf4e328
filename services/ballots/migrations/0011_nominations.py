"""Nominations that feedback told of, and quick ways from a project back to those who suggested it."""

from alembic import op
from sqlalchemy import text

from chassis.audit import audited
from chassis.ground import protect

revision = "0011"
down_revision = "0010"

SCHEMA = "ballots"
TABLE = """
CREATE TABLE nomination (
    district text NOT NULL DEFAULT current_setting('app.district') CHECK (district ~ '^[0-9]{6}$'),
    nominated text NOT NULL,
    content text NOT NULL,
    unit text NOT NULL DEFAULT '',
    place text NOT NULL DEFAULT '',
    year integer NOT NULL,
    settled boolean NOT NULL DEFAULT false,
    told_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (district, nominated)
);
CREATE INDEX nomination_waiting ON nomination (district, told_at) WHERE NOT settled;
CREATE INDEX suggestion_by_project ON suggestion (district, project) WHERE project IS NOT NULL;
CREATE INDEX suggestion_by_merged ON suggestion (district, merged_into) WHERE merged_into IS NOT NULL
"""


def upgrade() -> None:
    statements = [
        *TABLE.split(";"),
        *protect(SCHEMA, "nomination", "SELECT, INSERT, UPDATE"),
        *audited(SCHEMA, "nomination", ("nominated",)),
    ]
    for statement in statements:
        op.execute(text(statement))
