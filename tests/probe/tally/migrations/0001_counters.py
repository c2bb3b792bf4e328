"""The counters, what is needed to see a wrong order, and what makes an event impossible to apply."""

from alembic import op
from sqlalchemy import text

from chassis.ground import create_ground, protect

revision = "0001"
down_revision = None

SCHEMA = "tally"
DISTRICT = "district text NOT NULL DEFAULT current_setting('app.district')"
TABLES = f"""
CREATE TABLE tally (
    {DISTRICT},
    assemblies bigint NOT NULL DEFAULT 0,
    terms bigint NOT NULL DEFAULT 0,
    confirmed bigint NOT NULL DEFAULT 0,
    ended bigint NOT NULL DEFAULT 0,
    disordered bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (district)
);
CREATE TABLE latest_term ({DISTRICT}, assembly text, number integer NOT NULL, PRIMARY KEY (district, assembly));
CREATE TABLE sitting ({DISTRICT}, mandate text NOT NULL, PRIMARY KEY (district, mandate));
CREATE TABLE obstacle ({DISTRICT}, unit text NOT NULL, PRIMARY KEY (district, unit));
"""


def upgrade() -> None:
    statements = [*create_ground(SCHEMA), *filter(str.strip, TABLES.split(";"))]
    for table in ("tally", "latest_term", "sitting", "obstacle"):
        statements += protect(SCHEMA, table, "SELECT, INSERT, UPDATE, DELETE")
    for statement in statements:
        op.execute(text(statement))
