"""Meetings that recur, and calendars with a secret address."""

from alembic import op
from sqlalchemy import text

from chassis.audit import audited
from chassis.ground import protect

revision = "0005"
down_revision = "0004"

SCHEMA = "meetings"
STATEMENTS = """
CREATE TABLE series (
    district text NOT NULL DEFAULT current_setting('app.district') CHECK (district ~ '^[0-9]{6}$'),
    id uuid NOT NULL DEFAULT uuidv7(),
    assembly uuid,
    station uuid,
    kind text NOT NULL,
    form text NOT NULL DEFAULT '',
    display_name text NOT NULL,
    venue uuid,
    start_at timestamptz NOT NULL,
    duration interval NOT NULL CHECK (duration > interval '0'),
    recurrence text NOT NULL,
    exception_dates date[] NOT NULL DEFAULT '{}',
    occurrence_count integer NOT NULL CHECK (occurrence_count BETWEEN 1 AND 200),
    cancelled boolean NOT NULL DEFAULT false,
    reason text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    revision bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (district, id),
    FOREIGN KEY (district, venue) REFERENCES venue (district, id),
    CHECK ((assembly IS NULL) <> (station IS NULL))
);
ALTER TABLE meeting ADD COLUMN series uuid;
ALTER TABLE meeting ADD COLUMN original_start_at timestamptz;
ALTER TABLE meeting ADD COLUMN changed_at timestamptz NOT NULL DEFAULT now();
ALTER TABLE meeting ADD FOREIGN KEY (district, series) REFERENCES series (district, id);
ALTER TABLE meeting ADD CHECK ((series IS NULL) = (original_start_at IS NULL));
CREATE UNIQUE INDEX meeting_of_series ON meeting (district, series, original_start_at) WHERE series IS NOT NULL;
CREATE INDEX booking_by_subject ON booking (district, subject);
CREATE TABLE calendar (
    district text NOT NULL DEFAULT current_setting('app.district') CHECK (district ~ '^[0-9]{6}$'),
    id uuid NOT NULL DEFAULT uuidv7(),
    assembly uuid,
    station uuid,
    person uuid,
    secret_hash bytea,
    revoked_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    revision bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (district, id),
    CHECK (num_nonnulls(assembly, station, person) = 1),
    CHECK ((secret_hash IS NULL) = (revoked_at IS NOT NULL)),
    CONSTRAINT calendar_by_secret UNIQUE (district, secret_hash)
);
CREATE INDEX calendar_by_person ON calendar (district, person);
"""


def upgrade() -> None:
    statements = [*filter(str.strip, STATEMENTS.split(";"))]
    for table, secret in {"series": (), "calendar": ("secret_hash",)}.items():
        statements += protect(SCHEMA, table, "SELECT, INSERT, UPDATE")
        statements += audited(SCHEMA, table, ("id",), secret)
    for statement in statements:
        op.execute(text(statement))
