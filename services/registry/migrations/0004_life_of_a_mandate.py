"""A mandate ends with its term, can be suspended and can fill a vacancy; persons have a workplace, overrides a mode."""

from alembic import op
from sqlalchemy import text

from chassis.audit import audited
from chassis.ground import protect

revision = "0004"
down_revision = "0003"

SCHEMA = "registry"
STATEMENTS = """
ALTER TABLE person ADD COLUMN workplace text, ADD COLUMN workplace_since date,
    ADD FOREIGN KEY (district, workplace) REFERENCES unit (district, code);
CREATE INDEX person_by_workplace ON person (district, workplace);
ALTER TABLE rule_override ADD COLUMN enforcement text NOT NULL DEFAULT ''
    CHECK (enforcement IN ('', 'warn', 'enforce'));
ALTER TABLE term ADD CONSTRAINT term_end UNIQUE (district, assembly, number, end_date);
ALTER TABLE mandate
    ADD COLUMN term_end date,
    ADD COLUMN state_since date,
    ADD COLUMN fills uuid,
    ADD COLUMN judged_by text[] NOT NULL DEFAULT '{}';
ALTER TABLE mandate DISABLE TRIGGER USER;
ALTER TABLE mandate NO FORCE ROW LEVEL SECURITY;
ALTER TABLE term NO FORCE ROW LEVEL SECURITY;
UPDATE mandate SET term_end = term.end_date,
    state_since = CASE mandate.state WHEN 'active' THEN mandate.active_from WHEN 'ended' THEN mandate.active_to END
    FROM term
    WHERE (term.district, term.assembly, term.number) = (mandate.district, mandate.assembly, mandate.term);
ALTER TABLE term FORCE ROW LEVEL SECURITY;
ALTER TABLE mandate FORCE ROW LEVEL SECURITY;
ALTER TABLE mandate ENABLE TRIGGER USER;
ALTER TABLE mandate
    DROP CONSTRAINT mandate_state_check,
    DROP CONSTRAINT mandate_check1,
    ADD CHECK (state IN ('recommended', 'vetted', 'active', 'suspended', 'rejected', 'ended')),
    ADD CHECK ((active_from IS NOT NULL) = (state IN ('active', 'suspended', 'ended'))),
    ADD CHECK (active_from < term_end),
    ADD CHECK (active_to <= term_end),
    ADD FOREIGN KEY (district, assembly, term, term_end) REFERENCES term (district, assembly, number, end_date),
    ADD CONSTRAINT mandate_of_term UNIQUE (district, assembly, term, id),
    ADD FOREIGN KEY (district, assembly, term, fills) REFERENCES mandate (district, assembly, term, id),
    ADD CONSTRAINT mandate_overlap EXCLUDE USING gist (
        district WITH =, assembly WITH =, person WITH =,
        daterange(active_from, coalesce(active_to, term_end)) WITH &&
    ) WHERE (state IN ('active', 'suspended', 'ended'));
DROP INDEX mandate_once;
CREATE UNIQUE INDEX mandate_once ON mandate (district, assembly, term, person)
    WHERE state IN ('recommended', 'vetted', 'active', 'suspended');
CREATE UNIQUE INDEX vacancy_filled_once ON mandate (district, fills) WHERE state <> 'rejected';
CREATE TABLE suspension (
    district text NOT NULL DEFAULT current_setting('app.district'),
    id uuid NOT NULL DEFAULT uuidv7(),
    mandate uuid NOT NULL,
    start_date date NOT NULL,
    end_date date,
    reason text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (district, id),
    FOREIGN KEY (district, mandate) REFERENCES mandate (district, id),
    CHECK (start_date <= end_date),
    CONSTRAINT suspension_overlap EXCLUDE USING gist (
        district WITH =, mandate WITH =, daterange(start_date, end_date) WITH &&
    )
);
"""


def upgrade() -> None:
    statements = [*filter(str.strip, STATEMENTS.split(";")), *protect(SCHEMA, "suspension", "SELECT, INSERT, UPDATE")]
    statements += audited(SCHEMA, "suspension")
    for statement in statements:
        op.execute(text(statement))
