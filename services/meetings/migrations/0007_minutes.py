"""The minutes of meetings, which nobody changes once chair and secretary have signed."""

from alembic import op
from sqlalchemy import text

from chassis.audit import audited
from chassis.ground import protect

revision = "0007"
down_revision = "0006"

SCHEMA = "meetings"
# Whoever chairs may be an observer, who may still be taken off the roll: the minutes keep the name, and refer to none.
TABLE = """
CREATE TABLE minutes (
    district text NOT NULL DEFAULT current_setting('app.district') CHECK (district ~ '^[0-9]{6}$'),
    meeting uuid NOT NULL,
    state text NOT NULL DEFAULT 'draft' CHECK (state IN ('draft', 'signing', 'signed')),
    record text NOT NULL,
    summary text[] NOT NULL,
    resolutions text[] NOT NULL,
    remarks text[] NOT NULL DEFAULT '{}',
    edited text[] NOT NULL DEFAULT '{}',
    chair_attendee uuid,
    chair_name text NOT NULL CHECK (chair_name <> ''),
    chair_subject text NOT NULL DEFAULT '',
    chair_signed_at timestamptz,
    secretary_attendee uuid,
    secretary_name text NOT NULL CHECK (secretary_name <> ''),
    secretary_subject text NOT NULL DEFAULT '',
    secretary_signed_at timestamptz,
    return_reason text NOT NULL DEFAULT '',
    document text NOT NULL DEFAULT '',
    digest text NOT NULL DEFAULT '',
    generated_at timestamptz NOT NULL DEFAULT now(),
    created_at timestamptz NOT NULL DEFAULT now(),
    revision bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (district, meeting),
    FOREIGN KEY (district, meeting) REFERENCES meeting (district, id),
    CHECK ((chair_subject = '') = (chair_signed_at IS NULL)),
    CHECK ((secretary_subject = '') = (secretary_signed_at IS NULL)),
    CHECK (chair_subject = '' OR chair_subject <> secretary_subject),
    CHECK (num_nonnulls(chair_signed_at, secretary_signed_at)
        = CASE state WHEN 'draft' THEN 0 WHEN 'signing' THEN 1 ELSE 2 END),
    CHECK ((state = 'signed') = (document <> '')),
    CHECK (digest = CASE WHEN document = '' THEN '' ELSE encode(sha256(convert_to(document, 'UTF8')), 'hex') END)
)
"""
# Whoever it is who asks, the owner too. Deleting needs a right that the service has not.
REFUSE = """
CREATE FUNCTION signed_minutes_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'minutes that were signed are never changed' USING ERRCODE = 'restrict_violation';
END $$
"""
TRIGGER = """
CREATE TRIGGER signed_minutes_stay BEFORE UPDATE ON minutes
FOR EACH ROW WHEN (OLD.state = 'signed') EXECUTE FUNCTION signed_minutes_stay()
"""
# Names, and who said what: the audit says that they changed, and not what they are.
SECRET = ("record", "summary", "resolutions", "remarks", "chair_name", "secretary_name", "document")


def upgrade() -> None:
    statements = [TABLE, REFUSE, TRIGGER]
    statements += protect(SCHEMA, "minutes", "SELECT, INSERT, UPDATE")
    statements += audited(SCHEMA, "minutes", ("meeting",), SECRET)
    for statement in statements:
        op.execute(text(statement))
