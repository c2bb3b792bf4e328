"""The read model of the city: what each district's services told of each month."""

from alembic import op
from sqlalchemy import text

from chassis.audit import create_audit
from chassis.ground import create_ground, runtime_role

revision = "0001"
down_revision = None

SCHEMA = "municipal"
TABLES = """
CREATE TABLE district (
    code text PRIMARY KEY CHECK (code ~ '^[0-9]{6}$'),
    display_name text NOT NULL,
    valid_to date,
    told uuid NOT NULL
);
CREATE SEQUENCE change;
CREATE TABLE sheet (
    district text NOT NULL DEFAULT current_setting('app.district') CHECK (district ~ '^[0-9]{6}$'),
    service text NOT NULL,
    month date NOT NULL,
    told uuid NOT NULL,
    told_at timestamptz NOT NULL,
    change bigint NOT NULL DEFAULT nextval('change'),
    PRIMARY KEY (district, service, month)
);
CREATE INDEX sheet_by_change ON sheet (change);
CREATE INDEX sheet_by_service ON sheet (service, told);
CREATE TABLE cell (
    district text NOT NULL DEFAULT current_setting('app.district') CHECK (district ~ '^[0-9]{6}$'),
    service text NOT NULL,
    month date NOT NULL,
    kind text NOT NULL,
    unit text NOT NULL,
    facet text NOT NULL,
    value bigint NOT NULL,
    few boolean NOT NULL,
    PRIMARY KEY (district, service, month, kind, unit, facet)
);
CREATE INDEX cell_by_kind ON cell (kind, month)
"""
# The city reads all of them, and what is told of a district is written by acting for it.
WRITTEN = {"district": "code", "sheet": "district", "cell": "district"}


def upgrade() -> None:
    statements = [*create_ground(SCHEMA), *create_audit(SCHEMA), *filter(str.strip, TABLES.split(";"))]
    for table, whose in WRITTEN.items():
        own = f"{whose} = current_setting('app.district', true)"
        statements += [
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
            f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
            f"CREATE POLICY city ON {table} FOR SELECT USING (true)",
            f"CREATE POLICY entered ON {table} FOR INSERT WITH CHECK ({own})",
            f"CREATE POLICY changed ON {table} FOR UPDATE USING ({own}) WITH CHECK ({own})",
            f"CREATE POLICY removed ON {table} FOR DELETE USING ({own})",
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {runtime_role(SCHEMA)}",
        ]
    statements.append(f"GRANT USAGE ON SEQUENCE change TO {runtime_role(SCHEMA)}")
    for statement in statements:
        op.execute(text(statement))
