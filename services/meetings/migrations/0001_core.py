"""The core of the meetings service: copies of who may meet, venues, meetings and what they book."""

from alembic import op
from sqlalchemy import text

from chassis.audit import audited, create_audit
from chassis.ground import create_ground, protect, runtime_role

revision = "0001"
down_revision = None

SCHEMA = "meetings"
# Copies of what the registry told. Events may come in any order, so no row waits for another: there are no references.
# `told` is the id of the event that an entry is of: an older one that comes late changes nothing.
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
    told uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    PRIMARY KEY (district, id)
);
CREATE TABLE term (
    district text NOT NULL DEFAULT current_setting('app.district') CHECK (district ~ '^[0-9]{6}$'),
    assembly uuid NOT NULL,
    number integer NOT NULL,
    start_date date NOT NULL,
    end_date date NOT NULL,
    PRIMARY KEY (district, assembly, number)
);
CREATE TABLE mandate (
    district text NOT NULL DEFAULT current_setting('app.district') CHECK (district ~ '^[0-9]{6}$'),
    id uuid NOT NULL,
    person uuid NOT NULL,
    assembly uuid NOT NULL,
    term integer NOT NULL,
    capacity text NOT NULL DEFAULT '',
    active_from date,
    active_to date,
    PRIMARY KEY (district, id)
);
CREATE INDEX mandate_by_term ON mandate (district, assembly, term);
CREATE INDEX mandate_by_person ON mandate (district, person);
CREATE TABLE suspension (
    district text NOT NULL DEFAULT current_setting('app.district') CHECK (district ~ '^[0-9]{6}$'),
    mandate uuid NOT NULL,
    start_date date NOT NULL,
    end_date date,
    told uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    PRIMARY KEY (district, mandate, start_date)
);
CREATE TABLE merged_person (
    district text NOT NULL DEFAULT current_setting('app.district') CHECK (district ~ '^[0-9]{6}$'),
    id uuid NOT NULL,
    kept uuid NOT NULL,
    PRIMARY KEY (district, id)
);
CREATE TABLE station (
    district text NOT NULL DEFAULT current_setting('app.district') CHECK (district ~ '^[0-9]{6}$'),
    id uuid NOT NULL,
    kind text NOT NULL,
    unit text NOT NULL,
    display_name text NOT NULL DEFAULT '',
    start_date date,
    end_date date,
    told uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    PRIMARY KEY (district, id)
);
CREATE TABLE rota_entry (
    district text NOT NULL DEFAULT current_setting('app.district') CHECK (district ~ '^[0-9]{6}$'),
    id uuid NOT NULL,
    station uuid NOT NULL,
    mandate uuid NOT NULL,
    start_date date NOT NULL,
    end_date date NOT NULL,
    told uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    PRIMARY KEY (district, id)
);
CREATE INDEX rota_by_station ON rota_entry (district, station);
"""
OWN = """
CREATE TABLE venue (
    district text NOT NULL DEFAULT current_setting('app.district') CHECK (district ~ '^[0-9]{6}$'),
    id uuid NOT NULL DEFAULT uuidv7(),
    display_name text NOT NULL,
    address text NOT NULL DEFAULT '',
    capacity integer NOT NULL DEFAULT 0 CHECK (capacity >= 0),
    closed boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    revision bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (district, id),
    CONSTRAINT venue_once UNIQUE (district, display_name)
);
CREATE TABLE meeting (
    district text NOT NULL DEFAULT current_setting('app.district') CHECK (district ~ '^[0-9]{6}$'),
    id uuid NOT NULL DEFAULT uuidv7(),
    assembly uuid,
    station uuid,
    kind text NOT NULL,
    form text NOT NULL DEFAULT '',
    term integer,
    number integer NOT NULL CHECK (number > 0),
    display_name text NOT NULL,
    venue uuid,
    start_at timestamptz NOT NULL,
    end_at timestamptz NOT NULL,
    phase text NOT NULL DEFAULT 'preparation'
        CHECK (phase IN ('preparation', 'convened', 'summary', 'closed', 'postponed', 'cancelled')),
    reason text NOT NULL DEFAULT '',
    overlap_reason text NOT NULL DEFAULT '',
    notice_at timestamptz,
    late_notice_reason text NOT NULL DEFAULT '',
    sequence integer NOT NULL DEFAULT 0,
    convened_at timestamptz,
    adjourned_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    revision bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (district, id),
    FOREIGN KEY (district, venue) REFERENCES venue (district, id),
    CHECK ((assembly IS NULL) <> (station IS NULL)),
    CHECK ((assembly IS NULL) = (term IS NULL)),
    CHECK ((kind = 'mid_year') = (form <> '')),
    CHECK (start_at < end_at),
    CHECK ((convened_at IS NULL) = (phase IN ('preparation', 'postponed', 'cancelled'))),
    CHECK ((adjourned_at IS NULL) = (phase NOT IN ('summary', 'closed'))),
    CHECK (convened_at <= adjourned_at),
    CONSTRAINT meeting_number_once UNIQUE NULLS NOT DISTINCT (district, assembly, station, kind, term, number)
);
CREATE INDEX meeting_by_start ON meeting (district, start_at, id);
CREATE INDEX meeting_by_assembly ON meeting (district, assembly, start_at);
CREATE INDEX meeting_by_station ON meeting (district, station, start_at);
CREATE TABLE booking (
    district text NOT NULL DEFAULT current_setting('app.district') CHECK (district ~ '^[0-9]{6}$'),
    meeting uuid NOT NULL,
    subject uuid NOT NULL,
    is_venue boolean NOT NULL,
    during tstzrange NOT NULL,
    doubled boolean NOT NULL DEFAULT false,
    PRIMARY KEY (district, meeting, subject),
    FOREIGN KEY (district, meeting) REFERENCES meeting (district, id),
    CONSTRAINT booked_once EXCLUDE USING gist (
        district WITH =, subject WITH =, during WITH &&
    ) WHERE (NOT doubled)
);
"""
CHANGES = "SELECT, INSERT, UPDATE"
COPIES = {
    "rule_override": "SELECT, INSERT",
    "assembly": CHANGES,
    "term": CHANGES,
    "mandate": CHANGES,
    "suspension": CHANGES,
    "merged_person": CHANGES,
    "station": CHANGES,
    "rota_entry": CHANGES,
}
KEYS = {"venue": ("id",), "meeting": ("id",), "booking": ("meeting", "subject")}


def upgrade() -> None:
    statements = [*filter(str.strip, (ROSTER + OWN).split(";"))]
    statements += create_ground(SCHEMA) + create_audit(SCHEMA)
    for table, grants in COPIES.items():
        statements += protect(SCHEMA, table, grants)
    for table, key in KEYS.items():
        statements += protect(
            SCHEMA, table, "SELECT, INSERT, UPDATE, DELETE" if table == "booking" else "SELECT, INSERT, UPDATE"
        )
        statements += audited(SCHEMA, table, key)
    statements.append(f"GRANT DELETE ON booking TO {runtime_role(SCHEMA)}")
    for statement in statements:
        op.execute(text(statement))
