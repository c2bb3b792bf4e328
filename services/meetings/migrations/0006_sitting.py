"""What happens in a sitting: speakers, questions, attachments, what came before, and measures."""

from alembic import op
from sqlalchemy import text

from chassis.audit import audited
from chassis.ground import protect

revision = "0006"
down_revision = "0005"

SCHEMA = "meetings"
TABLES = """
ALTER TABLE agenda_item ADD COLUMN special_inquiry boolean NOT NULL DEFAULT false;
ALTER TABLE agenda_item ADD COLUMN left_open_reason text NOT NULL DEFAULT '';
CREATE TABLE speaker (
    district text NOT NULL DEFAULT current_setting('app.district') CHECK (district ~ '^[0-9]{6}$'),
    id uuid NOT NULL DEFAULT uuidv7(),
    meeting uuid NOT NULL,
    item uuid NOT NULL,
    attendee uuid NOT NULL,
    position integer NOT NULL CHECK (position > 0),
    minutes_allowed integer NOT NULL DEFAULT 0 CHECK (minutes_allowed >= 0),
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'speaking', 'spoken', 'withdrawn')),
    began_at timestamptz,
    ended_at timestamptz,
    summary text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    revision bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (district, id),
    FOREIGN KEY (district, meeting) REFERENCES meeting (district, id),
    FOREIGN KEY (district, item) REFERENCES agenda_item (district, id),
    FOREIGN KEY (district, attendee) REFERENCES roll (district, id),
    CHECK ((began_at IS NOT NULL) = (state IN ('speaking', 'spoken'))),
    CHECK ((ended_at IS NOT NULL) = (state = 'spoken')),
    CHECK (ended_at >= began_at),
    CONSTRAINT speakers_order UNIQUE (district, item, position) DEFERRABLE INITIALLY IMMEDIATE
);
CREATE UNIQUE INDEX one_speaks ON speaker (district, meeting) WHERE state = 'speaking';
CREATE UNIQUE INDEX enlisted_once ON speaker (district, item, attendee) WHERE state IN ('waiting', 'speaking');
CREATE INDEX speaker_by_attendee ON speaker (district, attendee);
CREATE INDEX speaker_waiting ON speaker (district, meeting) WHERE state IN ('waiting', 'speaking');
CREATE TABLE question (
    district text NOT NULL DEFAULT current_setting('app.district') CHECK (district ~ '^[0-9]{6}$'),
    id uuid NOT NULL DEFAULT uuidv7(),
    meeting uuid NOT NULL,
    item uuid NOT NULL,
    attendee uuid NOT NULL,
    asked_of text NOT NULL,
    content text NOT NULL,
    asked_at timestamptz NOT NULL,
    answer text NOT NULL DEFAULT '',
    answered_by text NOT NULL DEFAULT '',
    answered_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    revision bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (district, id),
    FOREIGN KEY (district, meeting) REFERENCES meeting (district, id),
    FOREIGN KEY (district, item) REFERENCES agenda_item (district, id),
    FOREIGN KEY (district, attendee) REFERENCES roll (district, id),
    CHECK ((answer = '') = (answered_at IS NULL)),
    CHECK (answered_at >= asked_at)
);
CREATE INDEX question_by_item ON question (district, item, id);
CREATE TABLE attachment (
    district text NOT NULL DEFAULT current_setting('app.district') CHECK (district ~ '^[0-9]{6}$'),
    id uuid NOT NULL DEFAULT uuidv7(),
    item uuid NOT NULL,
    title text NOT NULL,
    media_type text NOT NULL,
    size_bytes bigint NOT NULL CHECK (size_bytes > 0),
    sha256 text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    link text NOT NULL,
    attached_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (district, id),
    FOREIGN KEY (district, item) REFERENCES agenda_item (district, id)
);
CREATE INDEX attachment_by_item ON attachment (district, item, id);
CREATE TABLE preparation (
    district text NOT NULL DEFAULT current_setting('app.district') CHECK (district ~ '^[0-9]{6}$'),
    id uuid NOT NULL DEFAULT uuidv7(),
    meeting uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('inspection', 'opinion_collection', 'opinion')),
    source text NOT NULL,
    note text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (district, id),
    FOREIGN KEY (district, meeting) REFERENCES meeting (district, id),
    CONSTRAINT linked_once UNIQUE (district, meeting, source)
);
CREATE TABLE measure (
    district text NOT NULL DEFAULT current_setting('app.district') CHECK (district ~ '^[0-9]{6}$'),
    id uuid NOT NULL DEFAULT uuidv7(),
    meeting uuid NOT NULL,
    content text NOT NULL,
    owner text NOT NULL,
    due_date date NOT NULL,
    report text NOT NULL DEFAULT '',
    completed_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    revision bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (district, id),
    FOREIGN KEY (district, meeting) REFERENCES meeting (district, id),
    CHECK ((report = '') = (completed_at IS NULL)),
    CONSTRAINT one_measure UNIQUE (district, meeting)
);
CREATE INDEX measure_due ON measure (district, due_date, id);
"""
# Before a meeting is convened the roll may lose a seat, and a speakers' list whoever had it.
GRANTS = {
    "speaker": "SELECT, INSERT, UPDATE, DELETE",
    "question": "SELECT, INSERT, UPDATE",
    "attachment": "SELECT, INSERT, DELETE",
    "preparation": "SELECT, INSERT, DELETE",
    "measure": "SELECT, INSERT, UPDATE",
}


def upgrade() -> None:
    statements = [*filter(str.strip, TABLES.split(";"))]
    for table, grants in GRANTS.items():
        statements += protect(SCHEMA, table, grants)
        statements += audited(SCHEMA, table, ("id",))
    for statement in statements:
        op.execute(text(statement))
