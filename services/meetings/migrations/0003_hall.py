"""Attendance: the roll of a meeting, who came and went, and the quorum that was frozen with it."""

from alembic import op
from sqlalchemy import text

from chassis.audit import audited
from chassis.ground import protect

revision = "0003"
down_revision = "0002"

SCHEMA = "meetings"
TABLES = """
CREATE TABLE roll (
    district text NOT NULL DEFAULT current_setting('app.district') CHECK (district ~ '^[0-9]{6}$'),
    id uuid NOT NULL DEFAULT uuidv7(),
    meeting uuid NOT NULL,
    mandate uuid,
    person uuid,
    capacity text NOT NULL DEFAULT '',
    display_name text NOT NULL DEFAULT '',
    observer boolean NOT NULL DEFAULT false,
    state text NOT NULL DEFAULT 'invited' CHECK (state IN ('invited', 'confirmed', 'on_leave')),
    leave_reason text NOT NULL DEFAULT '',
    checked_in_at timestamptz,
    method text NOT NULL DEFAULT '' CHECK (method IN ('', 'staff', 'delegate', 'code')),
    left_at timestamptz,
    revision bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (district, id),
    FOREIGN KEY (district, meeting) REFERENCES meeting (district, id),
    CONSTRAINT seat_once UNIQUE (district, meeting, mandate),
    CHECK (observer = (mandate IS NULL) AND observer = (person IS NULL)),
    CHECK ((checked_in_at IS NULL) = (method = '')),
    CHECK (left_at IS NULL OR left_at >= checked_in_at),
    CHECK ((leave_reason = '') = (state <> 'on_leave'))
);
CREATE INDEX roll_by_meeting ON roll (district, meeting, id);
CREATE INDEX roll_by_person ON roll (district, person);
CREATE TABLE movement (
    district text NOT NULL DEFAULT current_setting('app.district') CHECK (district ~ '^[0-9]{6}$'),
    id uuid NOT NULL DEFAULT uuidv7(),
    meeting uuid NOT NULL,
    attendee uuid NOT NULL,
    at timestamptz NOT NULL,
    came boolean NOT NULL,
    PRIMARY KEY (district, id),
    FOREIGN KEY (district, meeting) REFERENCES meeting (district, id),
    FOREIGN KEY (district, attendee) REFERENCES roll (district, id)
);
CREATE INDEX movement_by_meeting ON movement (district, meeting, at);
CREATE INDEX movement_by_attendee ON movement (district, attendee);
CREATE TABLE quorum (
    district text NOT NULL DEFAULT current_setting('app.district') CHECK (district ~ '^[0-9]{6}$'),
    meeting uuid NOT NULL,
    expected integer NOT NULL CHECK (expected >= 0),
    present integer NOT NULL CHECK (present >= 0),
    needed integer NOT NULL CHECK (needed >= 0),
    rule_version text NOT NULL,
    PRIMARY KEY (district, meeting),
    FOREIGN KEY (district, meeting) REFERENCES meeting (district, id)
)
"""
# What is frozen stays: of the quorum nothing is changed or deleted.
GRANTS = {
    "roll": ("SELECT, INSERT, UPDATE, DELETE", ("id",), ("display_name", "leave_reason")),
    "movement": ("SELECT, INSERT, DELETE", ("id",), ()),
    "quorum": ("SELECT, INSERT", ("meeting",), ()),
}


def upgrade() -> None:
    statements = TABLES.split(";")
    for table, (grants, key, secret) in GRANTS.items():
        statements += protect(SCHEMA, table, grants)
        statements += audited(SCHEMA, table, key, secret)
    for statement in statements:
        op.execute(text(statement))
