"""The core of the ballots service: copies of which rules hold, who meets, and who has a seat."""

from alembic import op
from sqlalchemy import text

from chassis.audit import create_audit
from chassis.ground import create_ground, protect

revision = "0001"
down_revision = None

SCHEMA = "ballots"
# Copies of what other services told. Events come in any order, so no row waits for another: there are no references.
ROSTER = """
CREATE TABLE rule_override (
    district text NOT NULL DEFAULT current_setting('app.district') CHECK (district ~ '^[0-9]{6}$'),
    rule text NOT NULL,
    revision integer NOT NULL,
    value text,
    effective_date date NOT NULL,
    enforcement text NOT NULL DEFAULT '',
    PRIMARY KEY (district, rule, revision)
);
CREATE TABLE assembly (
    district text NOT NULL DEFAULT current_setting('app.district') CHECK (district ~ '^[0-9]{6}$'),
    id uuid NOT NULL,
    kind text NOT NULL,
    unit text,
    display_name text NOT NULL,
    PRIMARY KEY (district, id)
);
CREATE TABLE meeting (
    district text NOT NULL DEFAULT current_setting('app.district') CHECK (district ~ '^[0-9]{6}$'),
    id uuid NOT NULL,
    body text NOT NULL DEFAULT '',
    kind text NOT NULL DEFAULT '',
    phase text NOT NULL,
    convened_at timestamptz,
    expected integer NOT NULL DEFAULT 0,
    present integer NOT NULL DEFAULT 0,
    needed integer NOT NULL DEFAULT 0,
    rule_version text NOT NULL DEFAULT '',
    PRIMARY KEY (district, id)
);
CREATE TABLE seat (
    district text NOT NULL DEFAULT current_setting('app.district') CHECK (district ~ '^[0-9]{6}$'),
    meeting uuid NOT NULL,
    mandate uuid NOT NULL,
    person uuid NOT NULL,
    attended boolean NOT NULL DEFAULT false,
    PRIMARY KEY (district, meeting, mandate)
);
CREATE INDEX seat_by_person ON seat (district, person);
CREATE TABLE merged_person (
    district text NOT NULL DEFAULT current_setting('app.district') CHECK (district ~ '^[0-9]{6}$'),
    id uuid NOT NULL,
    kept uuid NOT NULL,
    PRIMARY KEY (district, id)
);
"""
CHANGES = "SELECT, INSERT, UPDATE"
COPIES = {
    "rule_override": "SELECT, INSERT",
    "assembly": CHANGES,
    "meeting": CHANGES,
    "seat": CHANGES,
    "merged_person": CHANGES,
}


def upgrade() -> None:
    statements = [*filter(str.strip, ROSTER.split(";"))]
    statements += create_ground(SCHEMA) + create_audit(SCHEMA)
    for table, grants in COPIES.items():
        statements += protect(SCHEMA, table, grants)
    for statement in statements:
        op.execute(text(statement))
