"""A district may take over from another: what it carried over says from where, under the other's identity key too."""

from alembic import op
from sqlalchemy import text

from chassis.audit import audited
from chassis.ground import protect

revision = "0008"
down_revision = "0007"

SCHEMA = "registry"
# What names something in another district is a text and no reference: nothing points out of its district.
# `identity_key` is empty where a hash was made before there could be a second key; it is then the first.
STATEMENTS = """
ALTER TABLE district
    ADD COLUMN successor text,
    ADD CHECK (successor <> code),
    ADD CHECK (successor IS NULL OR valid_to IS NOT NULL);
ALTER TABLE district_key DROP CONSTRAINT district_key_check;
ALTER TABLE unit ADD COLUMN predecessor text, ADD CONSTRAINT unit_succeeds_once UNIQUE (district, predecessor);
ALTER TABLE assembly ADD COLUMN predecessor text;
ALTER TABLE person ADD COLUMN identity_key integer, ADD COLUMN predecessor text;
CREATE INDEX person_by_predecessor ON person (district, predecessor) WHERE predecessor IS NOT NULL;
ALTER TABLE mandate ADD COLUMN predecessor text, ADD COLUMN successor text, ADD COLUMN held_since date;
ALTER TABLE station ADD COLUMN predecessor text;
CREATE TABLE succession (
    district text NOT NULL DEFAULT current_setting('app.district') REFERENCES district (code),
    predecessor text NOT NULL,
    successor text NOT NULL,
    effective_date date NOT NULL,
    decision text NOT NULL,
    digest bytea NOT NULL,
    outcome bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (district, predecessor),
    CHECK (district IN (predecessor, successor))
);
"""


def upgrade() -> None:
    statements = [*filter(str.strip, STATEMENTS.split(";"))]
    statements += protect(SCHEMA, "succession", "SELECT, INSERT")
    statements += audited(SCHEMA, "succession", ("predecessor",))
    for statement in statements:
        op.execute(text(statement))
