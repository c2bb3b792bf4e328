"""Proposals of delegates: who signed them, who undertakes them, what was answered, and how each signatory judged it."""

from alembic import op
from sqlalchemy import text

from chassis.audit import audited
from chassis.ground import protect

revision = "0003"
down_revision = "0002"

SCHEMA = "feedback"
STATES = (
    "'submitted', 'registered', 'filed', 'declined', 'assigned', 'returned', 'answered', 'reopened', 'closed', "
    "'withdrawn'"
)
TABLES = f"""
CREATE TABLE proposal (
    district text NOT NULL DEFAULT current_setting('app.district') CHECK (district ~ '^[0-9]{{6}}$'),
    id uuid NOT NULL DEFAULT uuidv7(),
    title text NOT NULL,
    content text NOT NULL CHECK (content <> ''),
    category text NOT NULL,
    unit text NOT NULL DEFAULT '',
    mandates uuid[] NOT NULL CHECK (cardinality(mandates) > 0),
    meeting text NOT NULL DEFAULT '',
    disclosure text NOT NULL CHECK (disclosure IN ('title', 'text', 'text_and_answer')),
    submit_date date NOT NULL,
    year integer NOT NULL,
    number integer CHECK (number > 0),
    state text NOT NULL DEFAULT 'submitted' CHECK (state IN ({STATES})),
    supervisor text NOT NULL DEFAULT '',
    assign_date date,
    due_date date,
    extended boolean NOT NULL DEFAULT false,
    reason text NOT NULL DEFAULT '',
    reopenings integer NOT NULL DEFAULT 0,
    warned_at timestamptz,
    escalated_at timestamptz,
    rule_versions text[] NOT NULL DEFAULT '{{}}',
    created_at timestamptz NOT NULL DEFAULT now(),
    revision bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (district, id),
    CONSTRAINT number_of_year UNIQUE (district, year, number),
    CHECK (year = extract(year FROM submit_date)),
    CHECK (number IS NOT NULL OR state IN ('submitted', 'withdrawn'))
);
CREATE INDEX proposal_by_state ON proposal (district, state, id);
CREATE INDEX proposal_due ON proposal (district, due_date) WHERE due_date IS NOT NULL;
CREATE TABLE proposal_undertaker (
    district text NOT NULL DEFAULT current_setting('app.district') CHECK (district ~ '^[0-9]{{6}}$'),
    proposal uuid NOT NULL,
    display_name text NOT NULL,
    lead boolean NOT NULL,
    co_due_date date,
    co_answer text NOT NULL DEFAULT '',
    PRIMARY KEY (district, proposal, display_name),
    FOREIGN KEY (district, proposal) REFERENCES proposal (district, id),
    CHECK (lead = (co_due_date IS NULL))
);
CREATE UNIQUE INDEX proposal_has_one_lead ON proposal_undertaker (district, proposal) WHERE lead;
CREATE INDEX proposal_undertaker_by_name ON proposal_undertaker (district, display_name);
CREATE TABLE proposal_answer (
    district text NOT NULL DEFAULT current_setting('app.district') CHECK (district ~ '^[0-9]{{6}}$'),
    id uuid NOT NULL DEFAULT uuidv7(),
    proposal uuid NOT NULL,
    undertaker text NOT NULL,
    content text NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('a', 'b', 'c', 'd')),
    on_time boolean NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (district, id),
    FOREIGN KEY (district, proposal) REFERENCES proposal (district, id)
);
CREATE INDEX proposal_answer_by_proposal ON proposal_answer (district, proposal, id);
CREATE TABLE proposal_judgement (
    district text NOT NULL DEFAULT current_setting('app.district') CHECK (district ~ '^[0-9]{{6}}$'),
    answer uuid NOT NULL,
    mandate uuid NOT NULL,
    judgement text NOT NULL CHECK (judgement IN ('satisfied', 'basically_satisfied', 'dissatisfied')),
    reason text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (district, answer, mandate),
    FOREIGN KEY (district, answer) REFERENCES proposal_answer (district, id)
);
CREATE TABLE proposal_step (
    district text NOT NULL DEFAULT current_setting('app.district') CHECK (district ~ '^[0-9]{{6}}$'),
    id uuid NOT NULL DEFAULT uuidv7(),
    proposal uuid NOT NULL,
    verb text NOT NULL,
    state text NOT NULL CHECK (state IN ({STATES})),
    subject text NOT NULL,
    note text NOT NULL DEFAULT '',
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (district, id),
    FOREIGN KEY (district, proposal) REFERENCES proposal (district, id)
);
CREATE INDEX proposal_step_by_proposal ON proposal_step (district, proposal, id);
"""
ADDED = "SELECT, INSERT"
GRANTS = {
    "proposal": "SELECT, INSERT, UPDATE",
    "proposal_undertaker": "SELECT, INSERT, DELETE, UPDATE (co_answer)",
    "proposal_answer": ADDED,
    "proposal_judgement": ADDED,
    "proposal_step": ADDED,
}
KEYS = {"proposal_undertaker": ("proposal", "display_name"), "proposal_judgement": ("answer", "mandate")}


def upgrade() -> None:
    statements = [*filter(str.strip, TABLES.split(";"))]
    for table, grants in GRANTS.items():
        statements += protect(SCHEMA, table, grants)
        statements += audited(SCHEMA, table, KEYS.get(table, ("id",)))
    for statement in statements:
        op.execute(text(statement))
