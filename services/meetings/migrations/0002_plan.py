"""The annual plan and its proposals, and the counts of obligations that were told last."""

from alembic import op
from sqlalchemy import text

from chassis.audit import audited
from chassis.ground import protect

revision = "0002"
down_revision = "0001"

SCHEMA = "meetings"
TABLES = """
CREATE TABLE plan (
    district text NOT NULL DEFAULT current_setting('app.district') CHECK (district ~ '^[0-9]{6}$'),
    year integer NOT NULL CHECK (year BETWEEN 2005 AND 2100),
    provisional boolean NOT NULL,
    rule_versions text[] NOT NULL,
    planned_at timestamptz NOT NULL DEFAULT now(),
    revision bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (district, year)
);
CREATE TABLE proposal (
    district text NOT NULL DEFAULT current_setting('app.district') CHECK (district ~ '^[0-9]{6}$'),
    id uuid NOT NULL DEFAULT uuidv7(),
    year integer NOT NULL,
    obligation text NOT NULL,
    body uuid NOT NULL,
    kind text NOT NULL,
    state text NOT NULL CHECK (state IN ('proposed', 'accepted', 'rejected', 'unplaced', 'overtaken')),
    start_at timestamptz,
    end_at timestamptz,
    day date,
    notice_date date,
    venue uuid,
    unplaced_reason text NOT NULL DEFAULT '',
    reject_reason text NOT NULL DEFAULT '',
    meeting uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    revision bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (district, id),
    FOREIGN KEY (district, year) REFERENCES plan (district, year),
    FOREIGN KEY (district, venue) REFERENCES venue (district, id),
    FOREIGN KEY (district, meeting) REFERENCES meeting (district, id),
    CHECK (start_at < end_at),
    CHECK ((state = 'unplaced') = (start_at IS NULL)),
    CHECK ((start_at IS NULL) = (end_at IS NULL) AND (start_at IS NULL) = (day IS NULL)),
    CHECK ((start_at IS NULL) = (notice_date IS NULL)),
    CHECK ((state = 'unplaced') = (unplaced_reason <> '')),
    CHECK ((state = 'rejected') = (reject_reason <> '')),
    CHECK ((state = 'accepted') = (meeting IS NOT NULL))
);
CREATE UNIQUE INDEX proposal_open_once ON proposal (district, obligation)
    WHERE state IN ('proposed', 'unplaced', 'overtaken');
CREATE INDEX proposal_by_year ON proposal (district, year, id);
CREATE INDEX proposal_by_body ON proposal (district, body);
CREATE INDEX proposal_by_venue ON proposal (district, venue);
CREATE INDEX proposal_by_meeting ON proposal (district, meeting);
CREATE TABLE obligation_count (
    district text NOT NULL DEFAULT current_setting('app.district') CHECK (district ~ '^[0-9]{6}$'),
    year integer NOT NULL,
    kind text NOT NULL,
    state text NOT NULL CHECK (state IN ('due', 'planned', 'fulfilled', 'missed')),
    obligations integer NOT NULL CHECK (obligations >= 0),
    PRIMARY KEY (district, year, kind, state)
);
"""


# By table: what the service may do. What nobody has decided on is replaced by the next planning.
GRANTS = {
    "plan": "SELECT, INSERT, UPDATE",
    "proposal": "SELECT, INSERT, UPDATE, DELETE",
    "obligation_count": "SELECT, INSERT, DELETE",
}
KEYS = {"plan": ("year",), "proposal": ("id",)}


def upgrade() -> None:
    statements = list(filter(str.strip, TABLES.split(";")))
    for table, grants in GRANTS.items():
        statements += protect(SCHEMA, table, grants)
    for table, key in KEYS.items():
        statements += audited(SCHEMA, table, key)
    for statement in statements:
        op.execute(text(statement))
