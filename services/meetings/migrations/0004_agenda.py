"""The agenda of meetings, and the deliberation opinions that arise from it."""

from alembic import op
from sqlalchemy import text

from chassis.audit import audited
from chassis.ground import protect

revision = "0004"
down_revision = "0003"

SCHEMA = "meetings"
TABLES = """
CREATE TABLE agenda_item (
    district text NOT NULL DEFAULT current_setting('app.district') CHECK (district ~ '^[0-9]{6}$'),
    id uuid NOT NULL DEFAULT uuidv7(),
    meeting uuid NOT NULL,
    item_class text NOT NULL,
    title text NOT NULL,
    reporter text NOT NULL DEFAULT '',
    minutes_allowed integer NOT NULL DEFAULT 0 CHECK (minutes_allowed >= 0),
    position integer NOT NULL CHECK (position > 0),
    state text NOT NULL DEFAULT 'planned' CHECK (state IN ('planned', 'open', 'concluded', 'withdrawn')),
    outcome text NOT NULL DEFAULT '',
    outcome_text text NOT NULL DEFAULT '',
    evaluation_method text NOT NULL DEFAULT '' CHECK (evaluation_method IN ('', 'grades', 'score')),
    members integer NOT NULL DEFAULT 0,
    satisfied integer NOT NULL DEFAULT 0 CHECK (satisfied >= 0),
    basically_satisfied integer NOT NULL DEFAULT 0 CHECK (basically_satisfied >= 0),
    dissatisfied integer NOT NULL DEFAULT 0 CHECK (dissatisfied >= 0),
    score_count integer NOT NULL DEFAULT 0,
    average_hundredths integer NOT NULL DEFAULT 0,
    evaluation_result text NOT NULL DEFAULT '',
    evaluation_rules text[] NOT NULL DEFAULT '{}',
    opened_at timestamptz,
    concluded_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    revision bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (district, id),
    FOREIGN KEY (district, meeting) REFERENCES meeting (district, id),
    CHECK ((state = 'concluded') = (outcome <> '')),
    CHECK ((outcome = 'evaluated') = (evaluation_method <> '')),
    CHECK (satisfied + basically_satisfied + dissatisfied <= members),
    CONSTRAINT agenda_order UNIQUE (district, meeting, position) DEFERRABLE INITIALLY IMMEDIATE
);
CREATE TABLE deliberation_opinion (
    district text NOT NULL DEFAULT current_setting('app.district') CHECK (district ~ '^[0-9]{6}$'),
    id uuid NOT NULL DEFAULT uuidv7(),
    meeting uuid NOT NULL,
    item uuid NOT NULL,
    content text NOT NULL,
    state text NOT NULL DEFAULT 'collected'
        CHECK (state IN ('collected', 'merged', 'handed', 'answered', 'judged', 'reopened', 'closed')),
    merged_into uuid,
    undertaker text NOT NULL DEFAULT '',
    due_date date,
    rule_version text NOT NULL DEFAULT '',
    answer text NOT NULL DEFAULT '',
    judgement text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    revision bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (district, id),
    FOREIGN KEY (district, meeting) REFERENCES meeting (district, id),
    FOREIGN KEY (district, item) REFERENCES agenda_item (district, id),
    FOREIGN KEY (district, merged_into) REFERENCES deliberation_opinion (district, id),
    CHECK ((state = 'merged') = (merged_into IS NOT NULL)),
    CHECK ((due_date IS NULL) = (state IN ('collected', 'merged')))
);
CREATE INDEX deliberation_opinion_by_meeting ON deliberation_opinion (district, meeting, id);
CREATE INDEX deliberation_opinion_due ON deliberation_opinion (district, due_date)
    WHERE state IN ('handed', 'reopened');
"""


def upgrade() -> None:
    statements = [*filter(str.strip, TABLES.split(";"))]
    for table in ("agenda_item", "deliberation_opinion"):
        statements += protect(SCHEMA, table, "SELECT, INSERT, UPDATE")
        statements += audited(SCHEMA, table, ("id",))
    for statement in statements:
        op.execute(text(statement))
