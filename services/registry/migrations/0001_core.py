"""The core of the registry: districts, units, rules, assemblies, terms, persons, mandates."""

from alembic import op
from sqlalchemy import text

from chassis.ground import create_ground, protect, runtime_role

revision = "0001"
down_revision = None

SCHEMA = "registry"
TABLES = """
CREATE TABLE district (
    code text PRIMARY KEY CHECK (code ~ '^[0-9]{6}$'),
    display_name text NOT NULL,
    valid_from date,
    valid_to date,
    suspended boolean NOT NULL DEFAULT false,
    suspension_reason text NOT NULL DEFAULT '',
    calls_per_second integer NOT NULL DEFAULT 0,
    calls_in_flight integer NOT NULL DEFAULT 0,
    revision bigint NOT NULL DEFAULT 1,
    CHECK (valid_from < valid_to)
);
CREATE TABLE unit (
    district text NOT NULL DEFAULT current_setting('app.district') REFERENCES district (code),
    code text NOT NULL CHECK (code ~ '^[0-9]{9}$' AND code LIKE district || '%'),
    display_name text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('subdistrict', 'town', 'township')),
    valid_from date,
    valid_to date,
    PRIMARY KEY (district, code),
    CHECK (valid_from < valid_to)
);
CREATE TABLE rule_override (
    district text NOT NULL DEFAULT current_setting('app.district') REFERENCES district (code),
    rule text NOT NULL,
    revision integer NOT NULL,
    value text,
    effective_date date NOT NULL,
    decision text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (district, rule, revision)
);
CREATE TABLE assembly (
    district text NOT NULL DEFAULT current_setting('app.district') REFERENCES district (code),
    id uuid NOT NULL DEFAULT uuidv7(),
    kind text NOT NULL CHECK (kind IN ('district_congress', 'township_congress', 'subdistrict_assembly')),
    unit text,
    display_name text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    revision bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (district, id),
    FOREIGN KEY (district, unit) REFERENCES unit (district, code),
    CHECK ((unit IS NULL) = (kind = 'district_congress')),
    CONSTRAINT assembly_once UNIQUE NULLS NOT DISTINCT (district, unit)
);
CREATE TABLE term (
    district text NOT NULL DEFAULT current_setting('app.district'),
    assembly uuid NOT NULL,
    number integer NOT NULL CHECK (number BETWEEN 1 AND 999),
    start_date date NOT NULL,
    end_date date NOT NULL,
    rule_version text NOT NULL DEFAULT '',
    revision bigint NOT NULL DEFAULT 1,
    CONSTRAINT term_once PRIMARY KEY (district, assembly, number),
    FOREIGN KEY (district, assembly) REFERENCES assembly (district, id),
    CHECK (start_date < end_date),
    CONSTRAINT term_overlap EXCLUDE USING gist (
        district WITH =, assembly WITH =, daterange(start_date, end_date) WITH &&
    )
);
CREATE TABLE person (
    district text NOT NULL DEFAULT current_setting('app.district') REFERENCES district (code),
    id uuid NOT NULL DEFAULT uuidv7(),
    display_name text NOT NULL,
    gender text NOT NULL DEFAULT '',
    birth_date date,
    nationality text NOT NULL DEFAULT 'CN',
    schooling text NOT NULL DEFAULT '',
    occupation text NOT NULL DEFAULT '',
    residence text,
    residence_since date,
    created_at timestamptz NOT NULL DEFAULT now(),
    revision bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (district, id),
    FOREIGN KEY (district, residence) REFERENCES unit (district, code)
);
CREATE INDEX person_by_name ON person (district, display_name text_pattern_ops);
CREATE INDEX person_by_residence ON person (district, residence);
CREATE TABLE mandate (
    district text NOT NULL DEFAULT current_setting('app.district'),
    id uuid NOT NULL DEFAULT uuidv7(),
    person uuid NOT NULL,
    assembly uuid NOT NULL,
    term integer NOT NULL,
    capacity text NOT NULL,
    recommender text NOT NULL,
    state text NOT NULL CHECK (state IN ('recommended', 'vetted', 'active', 'rejected', 'ended')),
    active_from date,
    active_to date,
    end_reason text NOT NULL DEFAULT '',
    remark text NOT NULL DEFAULT '',
    rule_version text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    revision bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (district, id),
    FOREIGN KEY (district, person) REFERENCES person (district, id),
    FOREIGN KEY (district, assembly, term) REFERENCES term (district, assembly, number),
    CHECK (active_from <= active_to),
    CHECK ((active_from IS NOT NULL) = (state IN ('active', 'ended'))),
    CHECK ((active_to IS NOT NULL) = (state = 'ended'))
);
CREATE UNIQUE INDEX mandate_once ON mandate (district, assembly, term, person)
    WHERE state IN ('recommended', 'vetted', 'active');
CREATE INDEX mandate_by_person ON mandate (district, person);
"""


def upgrade() -> None:
    statements = [*create_ground(SCHEMA), *filter(str.strip, TABLES.split(";"))]
    for table in ("unit", "assembly", "term", "person", "mandate"):
        statements += protect(SCHEMA, table, "SELECT, INSERT, UPDATE")
    statements += protect(SCHEMA, "rule_override", "SELECT, INSERT")
    # The directory is the city's: everybody reads it, an entry is written only by acting for its district.
    statements += [
        "ALTER TABLE district ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE district FORCE ROW LEVEL SECURITY",
        "CREATE POLICY directory ON district FOR SELECT USING (true)",
        "CREATE POLICY entry_added ON district FOR INSERT WITH CHECK (code = current_setting('app.district', true))",
        "CREATE POLICY entry_changed ON district FOR UPDATE USING (code = current_setting('app.district', true))",
        f"GRANT SELECT, INSERT, UPDATE ON district TO {runtime_role(SCHEMA)}",
    ]
    for statement in statements:
        op.execute(text(statement))
