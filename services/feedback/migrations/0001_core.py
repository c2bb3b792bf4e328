"""The core of the feedback service: copies of which rules hold, which stations there are, and who has a mandate."""

from alembic import op
from sqlalchemy import text

from chassis.audit import create_audit
from chassis.ground import create_ground, protect

revision = "0001"
down_revision = None

SCHEMA = "feedback"
# Copies of what the registry told. Events come in any order, so no row waits for another: there are no references.
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
CREATE TABLE station (
    district text NOT NULL DEFAULT current_setting('app.district') CHECK (district ~ '^[0-9]{6}$'),
    id uuid NOT NULL,
    unit text NOT NULL,
    PRIMARY KEY (district, id)
);
CREATE TABLE mandate (
    district text NOT NULL DEFAULT current_setting('app.district') CHECK (district ~ '^[0-9]{6}$'),
    id uuid NOT NULL,
    person uuid NOT NULL,
    PRIMARY KEY (district, id)
);
CREATE INDEX mandate_by_person ON mandate (district, person);
CREATE TABLE merged_person (
    district text NOT NULL DEFAULT current_setting('app.district') CHECK (district ~ '^[0-9]{6}$'),
    id uuid NOT NULL,
    kept uuid NOT NULL,
    PRIMARY KEY (district, id)
);
"""
CHANGES = "SELECT, INSERT, UPDATE"
COPIES = {"rule_override": "SELECT, INSERT", "station": "SELECT, INSERT", "mandate": CHANGES, "merged_person": CHANGES}


def upgrade() -> None:
    statements = [*filter(str.strip, ROSTER.split(";"))]
    statements += create_ground(SCHEMA) + create_audit(SCHEMA)
    for table, grants in COPIES.items():
        statements += protect(SCHEMA, table, grants)
    for statement in statements:
        op.execute(text(statement))
