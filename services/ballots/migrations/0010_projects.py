"""Livelihood projects: campaigns, what is suggested in them, and the life of a project."""

from alembic import op
from sqlalchemy import text

from chassis.audit import audited
from chassis.ground import protect

revision = "0010"
down_revision = "0002"

SCHEMA = "ballots"
STATES = (
    "'candidate', 'withdrawn', 'adopted', 'not_adopted', 'implementing', 'inspected', 'evaluated', 'accepted', "
    "'carried_over', 'postponed', 'ended'"
)
TABLES = f"""
CREATE TABLE campaign (
    district text NOT NULL DEFAULT current_setting('app.district') CHECK (district ~ '^[0-9]{{6}}$'),
    id uuid NOT NULL DEFAULT uuidv7(),
    assembly uuid NOT NULL,
    level text NOT NULL CHECK (level IN ('district', 'town', 'township', 'subdistrict')),
    unit text NOT NULL DEFAULT '',
    year integer NOT NULL,
    title text NOT NULL,
    places integer NOT NULL CHECK (places > 0),
    start_date date NOT NULL,
    end_date date NOT NULL,
    channels text[] NOT NULL,
    notice text NOT NULL,
    state text NOT NULL DEFAULT 'drafted'
        CHECK (state IN ('drafted', 'collecting', 'screening', 'listed', 'voted', 'done')),
    notice_at timestamptz,
    list_date date,
    listed_late boolean NOT NULL DEFAULT false,
    rule_versions text[] NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    revision bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (district, id),
    CONSTRAINT campaign_of_year UNIQUE (district, assembly, year),
    CHECK (start_date <= end_date),
    CHECK ((state = 'drafted') = (notice_at IS NULL)),
    CHECK ((state IN ('drafted', 'collecting', 'screening')) = (list_date IS NULL))
);
CREATE TABLE project (
    district text NOT NULL DEFAULT current_setting('app.district') CHECK (district ~ '^[0-9]{{6}}$'),
    id uuid NOT NULL DEFAULT uuidv7(),
    campaign uuid NOT NULL,
    assembly uuid NOT NULL,
    level text NOT NULL,
    unit text NOT NULL DEFAULT '',
    year integer NOT NULL,
    title text NOT NULL,
    content text NOT NULL,
    cost_fen bigint NOT NULL CHECK (cost_fen > 0),
    feasibility text NOT NULL,
    department text NOT NULL,
    beneficiaries integer NOT NULL DEFAULT 0 CHECK (beneficiaries >= 0),
    state text NOT NULL DEFAULT 'candidate' CHECK (state IN ({STATES})),
    poll text NOT NULL DEFAULT '',
    due_date date,
    budget_fen bigint NOT NULL,
    spent_fen bigint NOT NULL DEFAULT 0 CHECK (spent_fen >= 0),
    percent integer NOT NULL DEFAULT 0 CHECK (percent BETWEEN 0 AND 100),
    evaluation_poll text NOT NULL DEFAULT '',
    members integer NOT NULL DEFAULT 0,
    satisfied integer NOT NULL DEFAULT 0,
    basically_satisfied integer NOT NULL DEFAULT 0,
    dissatisfied integer NOT NULL DEFAULT 0,
    evaluation_result text NOT NULL DEFAULT '',
    evaluation_rules text[] NOT NULL DEFAULT '{{}}',
    closing_note text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    revision bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (district, id),
    FOREIGN KEY (district, campaign) REFERENCES campaign (district, id),
    CHECK (spent_fen <= budget_fen),
    CHECK ((poll = '') = (state IN ('candidate', 'withdrawn'))),
    CHECK (satisfied + basically_satisfied + dissatisfied <= members)
);
CREATE INDEX project_by_campaign ON project (district, campaign, id);
CREATE INDEX project_by_year ON project (district, year, id);
CREATE TABLE suggestion (
    district text NOT NULL DEFAULT current_setting('app.district') CHECK (district ~ '^[0-9]{{6}}$'),
    id uuid NOT NULL DEFAULT uuidv7(),
    campaign uuid NOT NULL,
    source text NOT NULL CHECK (source IN ('resident', 'station', 'delegate', 'nominated')),
    channel text NOT NULL,
    origin text NOT NULL DEFAULT '',
    content text NOT NULL,
    unit text NOT NULL DEFAULT '',
    receive_date date NOT NULL,
    state text NOT NULL DEFAULT 'collected' CHECK (state IN ('collected', 'merged', 'rejected', 'candidate')),
    merged_into uuid,
    reject_reason text NOT NULL DEFAULT '',
    project uuid,
    voices integer NOT NULL DEFAULT 1 CHECK (voices > 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    revision bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (district, id),
    FOREIGN KEY (district, campaign) REFERENCES campaign (district, id),
    FOREIGN KEY (district, merged_into) REFERENCES suggestion (district, id),
    FOREIGN KEY (district, project) REFERENCES project (district, id),
    CHECK ((source = 'resident') = (origin = '')),
    CHECK ((state = 'merged') = (merged_into IS NOT NULL)),
    CHECK ((state = 'rejected') = (reject_reason <> '')),
    CHECK ((state = 'candidate') = (project IS NOT NULL))
);
CREATE INDEX suggestion_by_campaign ON suggestion (district, campaign, id);
CREATE UNIQUE INDEX suggestion_nominated_once ON suggestion (district, origin) WHERE source = 'nominated';
CREATE TABLE project_undertaker (
    district text NOT NULL DEFAULT current_setting('app.district') CHECK (district ~ '^[0-9]{{6}}$'),
    project uuid NOT NULL,
    display_name text NOT NULL,
    lead boolean NOT NULL,
    PRIMARY KEY (district, project, display_name),
    FOREIGN KEY (district, project) REFERENCES project (district, id)
);
CREATE UNIQUE INDEX project_has_one_lead ON project_undertaker (district, project) WHERE lead;
CREATE TABLE budget_addition (
    district text NOT NULL DEFAULT current_setting('app.district') CHECK (district ~ '^[0-9]{{6}}$'),
    id uuid NOT NULL DEFAULT uuidv7(),
    project uuid NOT NULL,
    amount_fen bigint NOT NULL CHECK (amount_fen > 0),
    funds text NOT NULL,
    reason text NOT NULL,
    day date NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (district, id),
    FOREIGN KEY (district, project) REFERENCES project (district, id)
);
CREATE INDEX budget_addition_by_project ON budget_addition (district, project, id);
CREATE TABLE task (
    district text NOT NULL DEFAULT current_setting('app.district') CHECK (district ~ '^[0-9]{{6}}$'),
    id uuid NOT NULL DEFAULT uuidv7(),
    project uuid NOT NULL,
    title text NOT NULL,
    undertaker text NOT NULL,
    due_date date NOT NULL,
    done_date date,
    PRIMARY KEY (district, id),
    FOREIGN KEY (district, project) REFERENCES project (district, id)
);
CREATE INDEX task_by_project ON task (district, project, due_date, id);
CREATE TABLE milestone (
    district text NOT NULL DEFAULT current_setting('app.district') CHECK (district ~ '^[0-9]{{6}}$'),
    id uuid NOT NULL DEFAULT uuidv7(),
    project uuid NOT NULL,
    title text NOT NULL,
    due_date date NOT NULL,
    done_date date,
    PRIMARY KEY (district, id),
    FOREIGN KEY (district, project) REFERENCES project (district, id)
);
CREATE INDEX milestone_by_project ON milestone (district, project, due_date, id);
CREATE TABLE progress_report (
    district text NOT NULL DEFAULT current_setting('app.district') CHECK (district ~ '^[0-9]{{6}}$'),
    id uuid NOT NULL DEFAULT uuidv7(),
    project uuid NOT NULL,
    percent integer NOT NULL CHECK (percent BETWEEN 0 AND 100),
    spent_fen bigint NOT NULL CHECK (spent_fen >= 0),
    content text NOT NULL,
    correction_reason text NOT NULL DEFAULT '',
    day date NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (district, id),
    FOREIGN KEY (district, project) REFERENCES project (district, id)
);
CREATE INDEX progress_report_by_project ON progress_report (district, project, id);
CREATE TABLE inspection (
    district text NOT NULL DEFAULT current_setting('app.district') CHECK (district ~ '^[0-9]{{6}}$'),
    id uuid NOT NULL DEFAULT uuidv7(),
    project uuid NOT NULL,
    inspectors text NOT NULL,
    findings text NOT NULL,
    passed boolean NOT NULL,
    day date NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (district, id),
    FOREIGN KEY (district, project) REFERENCES project (district, id)
);
CREATE INDEX inspection_by_project ON inspection (district, project, id);
CREATE TABLE decision (
    district text NOT NULL DEFAULT current_setting('app.district') CHECK (district ~ '^[0-9]{{6}}$'),
    id uuid NOT NULL DEFAULT uuidv7(),
    project uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('adjust', 'postpone', 'end')),
    decider text NOT NULL CHECK (decider IN ('standing_committee', 'township_congress')),
    reporter text NOT NULL,
    reason text NOT NULL CHECK (reason <> ''),
    content text NOT NULL,
    decide_date date NOT NULL,
    project_title text NOT NULL DEFAULT '',
    project_content text NOT NULL DEFAULT '',
    due_date date,
    notice_needed boolean NOT NULL,
    notice_date date,
    report_needed boolean NOT NULL,
    reported_to text NOT NULL DEFAULT '',
    rule_versions text[] NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    revision bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (district, id),
    FOREIGN KEY (district, project) REFERENCES project (district, id),
    CHECK (kind <> 'postpone' OR due_date IS NOT NULL)
);
CREATE INDEX decision_by_project ON decision (district, project, id);
CREATE TABLE project_step (
    district text NOT NULL DEFAULT current_setting('app.district') CHECK (district ~ '^[0-9]{{6}}$'),
    id uuid NOT NULL DEFAULT uuidv7(),
    project uuid NOT NULL,
    verb text NOT NULL,
    state text NOT NULL CHECK (state IN ({STATES})),
    subject text NOT NULL,
    resource text NOT NULL DEFAULT '',
    note text NOT NULL DEFAULT '',
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (district, id),
    FOREIGN KEY (district, project) REFERENCES project (district, id)
);
CREATE INDEX project_step_by_project ON project_step (district, project, id);
"""
CHANGED = "SELECT, INSERT, UPDATE"
# What was reported, added, found or done stands as it is.
ADDED = "SELECT, INSERT"
GRANTS = {
    "campaign": CHANGED,
    "project": CHANGED,
    "suggestion": CHANGED,
    "project_undertaker": "SELECT, INSERT, DELETE",
    "budget_addition": ADDED,
    "task": CHANGED,
    "milestone": CHANGED,
    "progress_report": ADDED,
    "inspection": ADDED,
    "decision": CHANGED,
    "project_step": ADDED,
}
KEYS = {"project_undertaker": ("project", "display_name")}


def upgrade() -> None:
    statements = [*filter(str.strip, TABLES.split(";"))]
    for table, grants in GRANTS.items():
        statements += protect(SCHEMA, table, grants)
        statements += audited(SCHEMA, table, KEYS.get(table, ("id",)))
    for statement in statements:
        op.execute(text(statement))
