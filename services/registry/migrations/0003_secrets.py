"""What is kept sealed of persons, the keys to it, how a name is spoken, and where a merged entry went."""

from alembic import op
from sqlalchemy import text

from chassis.audit import audited
from chassis.ground import protect

revision = "0003"
down_revision = "0002"

SCHEMA = "registry"
# No row is filled here: the owner sees one district at a time, and this runs for none. `pinyin` is empty until the
# seed, or whoever writes the name, has spelt it; the release before this one goes on entering rows without it.
STATEMENTS = """
CREATE TABLE district_key (
    district text NOT NULL DEFAULT current_setting('app.district') REFERENCES district (code),
    purpose text NOT NULL CHECK (purpose IN ('data', 'identity')),
    version integer NOT NULL CHECK (version > 0),
    wrapped bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (district, purpose, version),
    CHECK (purpose = 'data' OR version = 1)
);
ALTER TABLE person
    ADD COLUMN identity_hash bytea,
    ADD COLUMN identity_last_four text,
    ADD COLUMN phone_sealed bytea,
    ADD COLUMN phone_last_four text,
    ADD COLUMN phone_key integer,
    ADD COLUMN pinyin text COLLATE "C",
    ADD COLUMN initials text COLLATE "C",
    ADD COLUMN merged_into uuid,
    ADD FOREIGN KEY (district, merged_into) REFERENCES person (district, id),
    ADD CHECK (merged_into <> id),
    ADD CHECK ((identity_hash IS NULL) = (identity_last_four IS NULL)),
    ADD CHECK (num_nulls(phone_sealed, phone_last_four, phone_key) IN (0, 3)),
    ADD CONSTRAINT person_identity_once UNIQUE (district, identity_hash);
CREATE INDEX person_by_pinyin ON person (district, pinyin);
CREATE INDEX person_by_initials ON person (district, initials);
CREATE INDEX person_unspelt ON person (district) WHERE pinyin IS NULL;
CREATE INDEX person_by_phone_key ON person (district, phone_key) WHERE phone_key IS NOT NULL;
CREATE INDEX person_by_merged_into ON person (district, merged_into) WHERE merged_into IS NOT NULL;
"""


def upgrade() -> None:
    statements = [*filter(str.strip, STATEMENTS.split(";"))]
    statements += protect(SCHEMA, "district_key", "SELECT, INSERT, UPDATE")
    statements += audited(SCHEMA, "district_key", ("purpose", "version"), secret=("wrapped",))
    statements += audited(SCHEMA, "person", ("id",), secret=("identity_hash", "phone_sealed"))
    for statement in statements:
        op.execute(text(statement))
