"""Nominations: what is to become a livelihood project, and what the ballots service told of it."""

from alembic import op
from sqlalchemy import text

from chassis.audit import audited
from chassis.ground import protect

revision = "0004"
down_revision = "0003"

SCHEMA = "feedback"
TABLE = """
CREATE TABLE nomination (
    district text NOT NULL DEFAULT current_setting('app.district') CHECK (district ~ '^[0-9]{6}$'),
    id uuid NOT NULL DEFAULT uuidv7(),
    opinion uuid,
    proposal uuid,
    title text NOT NULL,
    description text NOT NULL DEFAULT '',
    unit text NOT NULL DEFAULT '',
    place text NOT NULL DEFAULT '',
    year integer NOT NULL,
    state text NOT NULL DEFAULT 'waiting',
    reason text NOT NULL DEFAULT '',
    suggestion text NOT NULL DEFAULT '',
    project text NOT NULL DEFAULT '',
    poll text NOT NULL DEFAULT '',
    told uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    created_at timestamptz NOT NULL DEFAULT now(),
    revision bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (district, id),
    CONSTRAINT opinion_is_nominated_once UNIQUE (district, opinion),
    CONSTRAINT proposal_is_nominated_once UNIQUE (district, proposal),
    FOREIGN KEY (district, opinion) REFERENCES opinion (district, id),
    FOREIGN KEY (district, proposal) REFERENCES proposal (district, id),
    CHECK ((opinion IS NULL) <> (proposal IS NULL))
);
CREATE INDEX nomination_by_state ON nomination (district, state, id)
"""
GRANTS = "SELECT, INSERT, UPDATE (state, reason, suggestion, project, poll, told, revision)"


def upgrade() -> None:
    statements = [
        *TABLE.split(";"),
        *protect(
            SCHEMA, "nomination", "SELECT, INSERT, UPDATE (state, reason, suggestion, project, poll, told, revision)"
        ),
        *audited(SCHEMA, "nomination", ("id",)),
    ]
    for statement in statements:
        op.execute(text(statement))
