"""Opinions of residents: where they come in, how each is handled, and what was answered."""

from alembic import op
from sqlalchemy import text

from chassis.audit import audited
from chassis.ground import protect

revision = "0002"
down_revision = "0001"

SCHEMA = "feedback"
STATES = (
    "'received', 'acknowledged', 'routed', 'returned', 'in_progress', 'deferred', 'answered', 'reopened', 'closed', "
    "'dismissed', 'merged'"
)
JUDGEMENTS = "'satisfied', 'basically_satisfied', 'dissatisfied'"
TABLES = f"""
CREATE TABLE reception (
    district text NOT NULL DEFAULT current_setting('app.district') CHECK (district ~ '^[0-9]{{6}}$'),
    id uuid NOT NULL DEFAULT uuidv7(),
    station uuid NOT NULL,
    unit text NOT NULL,
    day date NOT NULL,
    mandates uuid[] NOT NULL CHECK (cardinality(mandates) > 0),
    people_received integer NOT NULL CHECK (people_received >= 0),
    note text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    revision bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (district, id)
);
CREATE INDEX reception_by_station ON reception (district, station, id);
CREATE TABLE intake (
    district text NOT NULL DEFAULT current_setting('app.district') CHECK (district ~ '^[0-9]{{6}}$'),
    id uuid NOT NULL DEFAULT uuidv7(),
    station uuid NOT NULL,
    unit text NOT NULL,
    secret_hash bytea,
    revoked_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    revision bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (district, id),
    CHECK ((secret_hash IS NULL) = (revoked_at IS NOT NULL))
);
CREATE UNIQUE INDEX intake_by_secret ON intake (district, secret_hash);
CREATE TABLE route (
    district text NOT NULL DEFAULT current_setting('app.district') CHECK (district ~ '^[0-9]{{6}}$'),
    id uuid NOT NULL DEFAULT uuidv7(),
    category text NOT NULL,
    unit text NOT NULL DEFAULT '',
    undertakers text[] NOT NULL CHECK (cardinality(undertakers) > 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    revision bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (district, id),
    CONSTRAINT one_route UNIQUE (district, category, unit)
);
CREATE TABLE opinion (
    district text NOT NULL DEFAULT current_setting('app.district') CHECK (district ~ '^[0-9]{{6}}$'),
    id uuid NOT NULL DEFAULT uuidv7(),
    channel text NOT NULL CHECK (channel IN ('reception', 'delegate', 'online', 'intake')),
    category text NOT NULL,
    content text NOT NULL CHECK (content <> ''),
    unit text NOT NULL DEFAULT '',
    place text NOT NULL DEFAULT '',
    receive_date date NOT NULL,
    station uuid,
    mandate uuid,
    reception uuid,
    intake uuid,
    attachments text NOT NULL DEFAULT '[]',
    contact bytea,
    receipt_hash bytea NOT NULL,
    letters integer NOT NULL CHECK (letters >= 0),
    state text NOT NULL DEFAULT 'received' CHECK (state IN ({STATES})),
    acknowledge_due timestamptz NOT NULL,
    due_date date,
    paused_left integer CHECK (paused_left >= 0),
    reason text NOT NULL DEFAULT '',
    reopenings integer NOT NULL DEFAULT 0,
    warned_at timestamptz,
    escalated_at timestamptz,
    merged_into uuid,
    merged_from text CHECK (merged_from IN ({STATES})),
    rule_versions text[] NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    revision bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (district, id),
    CONSTRAINT receipt_is_one UNIQUE (district, receipt_hash),
    FOREIGN KEY (district, reception) REFERENCES reception (district, id),
    FOREIGN KEY (district, intake) REFERENCES intake (district, id),
    FOREIGN KEY (district, merged_into) REFERENCES opinion (district, id),
    CHECK (merged_into <> id),
    CHECK ((state = 'merged') = (merged_into IS NOT NULL) AND (state = 'merged') = (merged_from IS NOT NULL)),
    CHECK ((channel = 'intake') = (intake IS NOT NULL)),
    CHECK (paused_left IS NULL OR due_date IS NULL)
);
CREATE INDEX opinion_by_state ON opinion (district, state, id);
CREATE INDEX opinion_by_unit ON opinion (district, unit, id);
CREATE INDEX opinion_by_mandate ON opinion (district, mandate, id);
CREATE INDEX opinion_by_reception ON opinion (district, reception, id);
CREATE INDEX opinion_by_intake ON opinion (district, intake, created_at);
CREATE INDEX opinion_due ON opinion (district, due_date) WHERE due_date IS NOT NULL;
CREATE INDEX opinion_by_merged ON opinion (district, merged_into) WHERE merged_into IS NOT NULL;
CREATE TABLE opinion_letter (
    district text NOT NULL DEFAULT current_setting('app.district') CHECK (district ~ '^[0-9]{{6}}$'),
    letter text NOT NULL,
    opinion uuid NOT NULL,
    PRIMARY KEY (district, letter, opinion),
    FOREIGN KEY (district, opinion) REFERENCES opinion (district, id)
);
CREATE TABLE opinion_undertaker (
    district text NOT NULL DEFAULT current_setting('app.district') CHECK (district ~ '^[0-9]{{6}}$'),
    opinion uuid NOT NULL,
    display_name text NOT NULL,
    lead boolean NOT NULL,
    PRIMARY KEY (district, opinion, display_name),
    FOREIGN KEY (district, opinion) REFERENCES opinion (district, id)
);
CREATE UNIQUE INDEX opinion_has_one_lead ON opinion_undertaker (district, opinion) WHERE lead;
CREATE TABLE opinion_answer (
    district text NOT NULL DEFAULT current_setting('app.district') CHECK (district ~ '^[0-9]{{6}}$'),
    id uuid NOT NULL DEFAULT uuidv7(),
    opinion uuid NOT NULL,
    undertaker text NOT NULL,
    content text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (district, id),
    FOREIGN KEY (district, opinion) REFERENCES opinion (district, id)
);
CREATE INDEX opinion_answer_by_opinion ON opinion_answer (district, opinion, id);
CREATE TABLE opinion_judgement (
    district text NOT NULL DEFAULT current_setting('app.district') CHECK (district ~ '^[0-9]{{6}}$'),
    answer uuid NOT NULL,
    opinion uuid NOT NULL,
    judgement text NOT NULL CHECK (judgement IN ({JUDGEMENTS})),
    reason text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (district, answer, opinion),
    FOREIGN KEY (district, answer) REFERENCES opinion_answer (district, id),
    FOREIGN KEY (district, opinion) REFERENCES opinion (district, id)
);
CREATE TABLE opinion_step (
    district text NOT NULL DEFAULT current_setting('app.district') CHECK (district ~ '^[0-9]{{6}}$'),
    id uuid NOT NULL DEFAULT uuidv7(),
    opinion uuid NOT NULL,
    verb text NOT NULL,
    state text NOT NULL CHECK (state IN ({STATES})),
    subject text NOT NULL,
    note text NOT NULL DEFAULT '',
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (district, id),
    FOREIGN KEY (district, opinion) REFERENCES opinion (district, id)
);
CREATE INDEX opinion_step_by_opinion ON opinion_step (district, opinion, id);
"""
CHANGED = "SELECT, INSERT, UPDATE"
GRANTS = {
    "reception": "SELECT, INSERT",
    "intake": CHANGED,
    "route": "SELECT, INSERT, DELETE",
    "opinion": CHANGED,
    "opinion_undertaker": "SELECT, INSERT, DELETE",
    "opinion_answer": "SELECT, INSERT",
    "opinion_judgement": "SELECT, INSERT",
    "opinion_step": "SELECT, INSERT",
}
# It says nothing that the opinion does not say.
DERIVED = "opinion_letter"
KEYS = {"opinion_undertaker": ("opinion", "display_name"), "opinion_judgement": ("answer", "opinion")}
SECRET = {"opinion": ("contact", "receipt_hash"), "intake": ("secret_hash",)}


def upgrade() -> None:
    statements = [*filter(str.strip, TABLES.split(";"))]
    for table, grants in GRANTS.items():
        statements += protect(SCHEMA, table, grants)
        statements += audited(SCHEMA, table, KEYS.get(table, ("id",)), SECRET.get(table, ()))
    statements += protect(SCHEMA, DERIVED, "SELECT, INSERT")
    for statement in statements:
        op.execute(text(statement))
