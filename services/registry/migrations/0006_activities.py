"""Activities, who took part in them, and what events of other services told of them."""

from alembic import op
from sqlalchemy import text

from chassis.audit import audited
from chassis.ground import protect

revision = "0006"
down_revision = "0005"

SCHEMA = "registry"
# Totals are added up when they are asked for, so an activity is found by its day and by who took part.
TABLES = """
CREATE TABLE activity (
    district text NOT NULL DEFAULT current_setting('app.district') REFERENCES district (code),
    id uuid NOT NULL DEFAULT uuidv7(),
    kind text NOT NULL CHECK (kind IN (
        'attendance', 'speech', 'inspection', 'law_enforcement_check', 'reception', 'policy_outreach', 'training',
        'opinion_raised', 'proposal_raised', 'ballot_paper_taken'
    )),
    day date NOT NULL,
    people_received integer NOT NULL DEFAULT 0 CHECK (people_received >= 0),
    subject text NOT NULL DEFAULT '',
    unit text,
    source text NOT NULL DEFAULT '',
    confirmed boolean NOT NULL DEFAULT false,
    withdrawal_reason text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    revision bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (district, id),
    FOREIGN KEY (district, unit) REFERENCES unit (district, code),
    CHECK (people_received = 0 OR kind = 'reception'),
    CONSTRAINT nothing_beside_the_paper CHECK (kind <> 'ballot_paper_taken' OR (confirmed AND subject = ''))
);
CREATE UNIQUE INDEX activity_once ON activity (district, kind, day, source)
    WHERE source <> '' AND withdrawal_reason = '';
CREATE INDEX activity_by_day ON activity (district, day, id);
CREATE TABLE participation (
    district text NOT NULL DEFAULT current_setting('app.district'),
    activity uuid NOT NULL,
    mandate uuid NOT NULL,
    PRIMARY KEY (district, activity, mandate),
    FOREIGN KEY (district, activity) REFERENCES activity (district, id),
    FOREIGN KEY (district, mandate) REFERENCES mandate (district, id)
);
CREATE INDEX participation_by_mandate ON participation (district, mandate, activity);
CREATE TABLE participation_told (
    district text NOT NULL DEFAULT current_setting('app.district') REFERENCES district (code),
    event_type text NOT NULL,
    source text NOT NULL,
    mandate uuid NOT NULL,
    PRIMARY KEY (district, event_type, source, mandate)
);
"""


def upgrade() -> None:
    statements = [
        *filter(str.strip, TABLES.split(";")),
        *protect(SCHEMA, "activity", "SELECT, INSERT, UPDATE"),
        # A correction says anew who took part.
        *protect(SCHEMA, "participation", "SELECT, INSERT, DELETE"),
        # What an event told is never forgotten, or the same event could count again.
        *protect(SCHEMA, "participation_told", "SELECT, INSERT"),
        *audited(SCHEMA, "activity"),
        *audited(SCHEMA, "participation", ("activity", "mandate")),
        *audited(SCHEMA, "participation_told", ("event_type", "source", "mandate")),
    ]
    for statement in statements:
        op.execute(text(statement))
