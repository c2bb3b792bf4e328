"""Polls, their boxes and electorates; and the secret ballot, whose tables are like no other.

Papers, ballots and counted ballots have no time, no number and no reference: the check of a reference would
leave the transaction's id on the row that is referred to. They are not audited.
"""

from alembic import op
from sqlalchemy import text

from chassis.audit import audited
from chassis.ground import protect, runtime_role

revision = "0002"
down_revision = "0001"

SCHEMA = "ballots"
POLLS = """
CREATE TABLE poll (
    district text NOT NULL DEFAULT current_setting('app.district') CHECK (district ~ '^[0-9]{6}$'),
    id uuid NOT NULL DEFAULT uuidv7(),
    title text NOT NULL,
    meeting uuid NOT NULL,
    body text NOT NULL,
    questions text NOT NULL,
    method text NOT NULL CHECK (method IN ('electronic', 'paper')),
    late_papers boolean NOT NULL DEFAULT false,
    state text NOT NULL DEFAULT 'drafted'
        CHECK (state IN ('drafted', 'open', 'voting', 'closed', 'certified', 'announced', 'void')),
    opens_at timestamptz,
    votes_at timestamptz,
    closes_at timestamptz,
    open_reason text NOT NULL DEFAULT '',
    void_reason text NOT NULL DEFAULT '',
    overdue_reason text NOT NULL DEFAULT '',
    run_off_of uuid,
    result text NOT NULL DEFAULT '',
    swept boolean NOT NULL DEFAULT true,
    opened_at timestamptz,
    voting_at timestamptz,
    closed_at timestamptz,
    certified_at timestamptz,
    announced_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    revision bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (district, id),
    FOREIGN KEY (district, run_off_of) REFERENCES poll (district, id),
    CONSTRAINT one_run_off UNIQUE (district, run_off_of),
    CHECK ((void_reason = '') = (state <> 'void')),
    CHECK (state NOT IN ('certified', 'announced') OR result <> ''),
    CHECK (opens_at < votes_at),
    CHECK (votes_at < closes_at),
    CHECK (opens_at < closes_at)
);
CREATE INDEX poll_by_meeting ON poll (district, meeting, id);
CREATE INDEX poll_by_state ON poll (district, state, id);
CREATE TABLE delegation (
    district text NOT NULL DEFAULT current_setting('app.district') CHECK (district ~ '^[0-9]{6}$'),
    poll uuid NOT NULL,
    number integer NOT NULL CHECK (number > 0),
    display_name text NOT NULL,
    mandates uuid[] NOT NULL,
    PRIMARY KEY (district, poll, number),
    FOREIGN KEY (district, poll) REFERENCES poll (district, id)
);
CREATE TABLE box (
    district text NOT NULL DEFAULT current_setting('app.district') CHECK (district ~ '^[0-9]{6}$'),
    poll uuid NOT NULL,
    number integer NOT NULL CHECK (number > 0),
    display_name text NOT NULL DEFAULT '',
    electorate integer NOT NULL CHECK (electorate >= 0),
    present integer NOT NULL DEFAULT 0 CHECK (present BETWEEN 0 AND electorate),
    papers integer NOT NULL DEFAULT 0 CHECK (papers >= 0),
    ballots integer NOT NULL DEFAULT 0 CHECK (ballots >= 0),
    terms text NOT NULL DEFAULT '',
    board text NOT NULL DEFAULT '',
    PRIMARY KEY (district, poll, number),
    FOREIGN KEY (district, poll) REFERENCES poll (district, id)
);
CREATE TABLE box_key (
    district text NOT NULL DEFAULT current_setting('app.district') CHECK (district ~ '^[0-9]{6}$'),
    poll uuid NOT NULL,
    box integer NOT NULL,
    purpose text NOT NULL CHECK (purpose IN ('paper', 'board')),
    wrapped bytea NOT NULL,
    PRIMARY KEY (district, poll, box, purpose),
    FOREIGN KEY (district, poll, box) REFERENCES box (district, poll, number)
);
CREATE TABLE elector (
    district text NOT NULL DEFAULT current_setting('app.district') CHECK (district ~ '^[0-9]{6}$'),
    poll uuid NOT NULL,
    mandate uuid NOT NULL,
    person uuid NOT NULL,
    box integer NOT NULL,
    PRIMARY KEY (district, poll, mandate),
    FOREIGN KEY (district, poll, box) REFERENCES box (district, poll, number)
);
CREATE INDEX elector_by_person ON elector (district, person, poll);
CREATE TABLE certification (
    district text NOT NULL DEFAULT current_setting('app.district') CHECK (district ~ '^[0-9]{6}$'),
    poll uuid NOT NULL,
    scrutineer uuid NOT NULL,
    certified_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (district, poll, scrutineer),
    FOREIGN KEY (district, poll) REFERENCES poll (district, id)
);
CREATE TABLE paper_count (
    district text NOT NULL DEFAULT current_setting('app.district') CHECK (district ~ '^[0-9]{6}$'),
    poll uuid NOT NULL,
    box integer NOT NULL,
    scrutineer uuid NOT NULL,
    content text NOT NULL,
    entered_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (district, poll, box, scrutineer),
    FOREIGN KEY (district, poll, box) REFERENCES box (district, poll, number)
);
CREATE TABLE tie_decision (
    district text NOT NULL DEFAULT current_setting('app.district') CHECK (district ~ '^[0-9]{6}$'),
    poll uuid NOT NULL,
    question text NOT NULL,
    options text[] NOT NULL,
    decision text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (district, poll, question),
    FOREIGN KEY (district, poll) REFERENCES poll (district, id)
);
"""
VOTE = """
CREATE TABLE paper (
    district text NOT NULL DEFAULT current_setting('app.district') CHECK (district ~ '^[0-9]{6}$'),
    poll uuid NOT NULL,
    box integer NOT NULL,
    mandate uuid NOT NULL,
    blinded bytea NOT NULL,
    answer bytea NOT NULL,
    PRIMARY KEY (district, poll, mandate)
);
CREATE TABLE ballot (
    district text NOT NULL DEFAULT current_setting('app.district') CHECK (district ~ '^[0-9]{6}$'),
    poll uuid NOT NULL,
    box integer NOT NULL,
    public_key bytea NOT NULL,
    encoded bytea NOT NULL,
    PRIMARY KEY (district, poll, box, public_key)
);
CREATE TABLE closed_ballot (
    district text NOT NULL DEFAULT current_setting('app.district') CHECK (district ~ '^[0-9]{6}$'),
    poll uuid NOT NULL,
    box integer NOT NULL,
    public_key bytea NOT NULL,
    encoded bytea NOT NULL,
    receipt bytea NOT NULL,
    PRIMARY KEY (district, poll, box, public_key)
)
"""
# Writes a table anew by its key, so that its file has neither the order in which rows came nor a dead row. Only its
# owner can, for the service when it asks; VACUUM cannot be asked for in a transaction. One table a transaction: with
# the locks of two, it and a vote that is started could wait for each other.
SWEEP = """
CREATE FUNCTION sweep_votes(swept text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = ballots, pg_temp AS $$
BEGIN
    CASE swept
        WHEN 'ballot' THEN CLUSTER ballot USING ballot_pkey;
        WHEN 'paper' THEN CLUSTER paper USING paper_pkey;
        WHEN 'box_key' THEN CLUSTER box_key USING box_key_pkey;
    END CASE;
END $$
"""
# A ballot is never changed.
GRANTS = {
    "poll": ("SELECT, INSERT, UPDATE", ("id",), ()),
    "delegation": ("SELECT, INSERT, DELETE", ("poll", "number"), ()),
    "box": ("SELECT, INSERT, UPDATE", ("poll", "number"), ("terms", "board")),
    "box_key": ("SELECT, INSERT, DELETE", ("poll", "box", "purpose"), ("wrapped",)),
    "elector": ("SELECT, INSERT, UPDATE", ("poll", "mandate"), ()),
    "certification": ("SELECT, INSERT", ("poll", "scrutineer"), ()),
    "paper_count": ("SELECT, INSERT, UPDATE", ("poll", "box", "scrutineer"), ()),
    "tie_decision": ("SELECT, INSERT", ("poll", "question"), ()),
}
UNAUDITED = {
    "paper": "SELECT, INSERT, DELETE",
    "ballot": "SELECT, INSERT, DELETE",
    "closed_ballot": "SELECT, INSERT",
}


def upgrade() -> None:
    statements = [*filter(str.strip, (POLLS + VOTE).split(";"))]
    for table, (grants, key, secret) in GRANTS.items():
        statements += protect(SCHEMA, table, grants)
        statements += audited(SCHEMA, table, key, secret)
    for table, grants in UNAUDITED.items():
        statements += protect(SCHEMA, table, grants)
    statements += [
        SWEEP,
        "REVOKE EXECUTE ON FUNCTION sweep_votes(text) FROM PUBLIC",
        f"GRANT EXECUTE ON FUNCTION sweep_votes(text) TO {runtime_role(SCHEMA)}",
    ]
    for statement in statements:
        op.execute(text(statement))
