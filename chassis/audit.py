"""The audit: who changed what, when, and by which RPC, in every service's schema, append-only by district.

Triggers write it, one for each kind of statement, so that no code can change a
row of an audited table and forget to say so. The runtime role cannot write a
record itself: the functions here do, as the owner, who is bound by row-level
security like everybody else. What it can do is record a note, `note_audit`.

A table opts in by `audited(...)`. Every table does, but for EXEMPT, and for those
of a secret ballot, which are never audited and stand in the manifest's
`unaudited`: who voted when must not be found out by laying two tables side by
side. A transaction that writes such a row must not write an audited one either,
since PostgreSQL keeps with each row the id of its transaction, as the audit does.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ARRAY, Column, DateTime, MetaData, PrimaryKeyConstraint, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from chassis.ground import protect, runtime_role

# Tables of the ground that say themselves what was done and when, or hold no more than a copy of it.
EXEMPT: Final = frozenset({"outbox", "inbox", "idempotency", "audit", "audit_seal", "erasure"})
# Never changed once released: a change is a migration of its own.
TABLES: Final = """
CREATE TABLE audit (
    district text NOT NULL CHECK (district ~ '^[0-9]{6}$'),
    id uuid NOT NULL DEFAULT uuidv7(),
    at timestamptz GENERATED ALWAYS AS (uuid_extract_timestamp(id)) VIRTUAL,
    txid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    subject text NOT NULL,
    roles text[] NOT NULL,
    rpc text NOT NULL,
    request_id text NOT NULL,
    action text NOT NULL,
    resource text NOT NULL,
    key jsonb NOT NULL,
    before jsonb,
    after jsonb,
    PRIMARY KEY (district, id)
);
CREATE INDEX audit_in_order ON audit (district, txid, id);
CREATE TABLE audit_seal (
    district text NOT NULL DEFAULT current_setting('app.district') CHECK (district ~ '^[0-9]{6}$'),
    number bigint NOT NULL CHECK (number > 0),
    first_id uuid NOT NULL,
    last_id uuid NOT NULL,
    last_txid xid8 NOT NULL,
    records integer NOT NULL CHECK (records > 0),
    marks bytea NOT NULL,
    previous bytea NOT NULL,
    hash bytea NOT NULL,
    key_id text NOT NULL,
    sealed_at timestamptz NOT NULL,
    PRIMARY KEY (district, number)
);
"""
# A change by hand, in psql, has no actor: it is recorded under the login that made it.
ACTING: Final = """
CREATE FUNCTION acting() RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT coalesce(
        convert_from(decode(nullif(current_setting('app.actor', true), ''), 'base64'), 'UTF8')::jsonb,
        jsonb_build_object('subject', 'database:' || session_user, 'roles', '[]'::jsonb, 'rpc', '', 'request_id', '')
    )
$$
"""
PART: Final = """
CREATE FUNCTION part(_row jsonb, _columns text[]) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT jsonb_object_agg(_column, _row->_column) FROM unnest(_columns) AS _column
$$
"""
CHANGED: Final = """
CREATE FUNCTION changed(_row jsonb, _other jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(jsonb_object_agg(key, value), '{}') FROM jsonb_each(_row)
    WHERE value IS DISTINCT FROM _other->key
    HAVING _row IS NOT NULL
$$
"""
# An entry of the directory names no district, and is written by acting for it. An update joins the rows as they were
# with the rows as they are, by key; a row whose key was changed is one that went and one that came. A change of secret
# columns alone is recorded too, without them.
RECORD_CHANGE: Final = """
DECLARE
    here CONSTANT text := current_setting('app.district', true);
    who CONSTANT jsonb := acting();
    roles CONSTANT text[] := ARRAY(SELECT jsonb_array_elements_text(who->'roles'));
    what CONSTANT text := lower(TG_OP);
    keys CONSTANT text[] := TG_ARGV[0];
    whole CONSTANT text[] := 'district'::text || keys;
    hidden CONSTANT text[] := whole || TG_ARGV[1]::text[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO audit (district, subject, roles, rpc, request_id, action, resource, key, after)
        SELECT coalesce(held->>'district', here), who->>'subject', roles, who->>'rpc', who->>'request_id',
               what, TG_TABLE_NAME, part(held, keys), held - hidden
        FROM (SELECT to_jsonb(r) AS held FROM new_rows AS r);
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO audit (district, subject, roles, rpc, request_id, action, resource, key, before)
        SELECT coalesce(held->>'district', here), who->>'subject', roles, who->>'rpc', who->>'request_id',
               what, TG_TABLE_NAME, part(held, keys), held - hidden
        FROM (SELECT to_jsonb(r) AS held FROM old_rows AS r);
    ELSE
        INSERT INTO audit (district, subject, roles, rpc, request_id, action, resource, key, before, after)
        SELECT coalesce(n.held->>'district', o.held->>'district', here), who->>'subject', roles, who->>'rpc',
               who->>'request_id', what, TG_TABLE_NAME, part(coalesce(n.held, o.held), keys),
               changed(o.held - hidden, n.held), changed(n.held - hidden, o.held)
        FROM (SELECT to_jsonb(r) AS held, part(to_jsonb(r), whole) AS key FROM old_rows AS r) AS o
        FULL JOIN (SELECT to_jsonb(r) AS held, part(to_jsonb(r), whole) AS key FROM new_rows AS r) AS n USING (key)
        WHERE o.held IS DISTINCT FROM n.held;
    END IF;
    RETURN NULL;
END
"""
NOTE_AUDIT: Final = """
DECLARE
    who CONSTANT jsonb := acting();
BEGIN
    INSERT INTO audit (district, subject, roles, rpc, request_id, action, resource, key)
    SELECT current_setting('app.district'), who->>'subject', ARRAY(SELECT jsonb_array_elements_text(who->'roles')),
           who->>'rpc', who->>'request_id', _action, _resource, '{}';
END
"""
# What a service reads of its audit.
RECORDS: Final = Table(
    "audit",
    MetaData(),
    Column("district", Text),
    Column("id", Uuid),
    Column("at", DateTime(timezone=True)),
    Column("subject", Text),
    Column("roles", ARRAY(Text)),
    Column("rpc", Text),
    Column("request_id", Text),
    Column("action", Text),
    Column("resource", Text),
    Column("key", JSONB),
    Column("before", JSONB),
    Column("after", JSONB),
    PrimaryKeyConstraint("district", "id"),
)
TRANSITIONS: Final = {
    "INSERT": "NEW TABLE AS new_rows",
    "UPDATE": "OLD TABLE AS old_rows NEW TABLE AS new_rows",
    "DELETE": "OLD TABLE AS old_rows",
}


def create_audit(schema: str) -> list[str]:
    """The statements that give a schema its audit, in a migration behind `create_ground`."""
    as_owner = f"LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_temp"
    return [
        *filter(str.strip, TABLES.split(";")),
        *protect(schema, "audit", "SELECT"),
        *protect(schema, "audit_seal", "SELECT, INSERT"),
        ACTING,
        PART,
        CHANGED,
        f"CREATE FUNCTION record_change() RETURNS trigger {as_owner} AS $${RECORD_CHANGE}$$",
        f"CREATE FUNCTION note_audit(_action text, _resource text) RETURNS void {as_owner} AS $${NOTE_AUDIT}$$",
        # Or who may make a temporary table could have it record what it likes.
        "REVOKE EXECUTE ON FUNCTION record_change(), note_audit(text, text) FROM PUBLIC",
        f"GRANT EXECUTE ON FUNCTION note_audit(text, text) TO {runtime_role(schema)}",
    ]


def audited(schema: str, table: str, key: Sequence[str] = ("id",), secret: Sequence[str] = ()) -> list[str]:
    """Has every change of the table recorded. `key` is its primary key without the district.

    What is in the columns `secret` is never recorded. A migration that adds such a
    column calls this once more, before the column is filled.
    """
    arguments = ", ".join(f"'{{{','.join(columns)}}}'" for columns in (key, secret))
    return [
        f"CREATE OR REPLACE TRIGGER audit_{event.lower()} AFTER {event} ON {schema}.{table} REFERENCING {transition} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {schema}.record_change({arguments})"
        for event, transition in TRANSITIONS.items()
    ]


def first_id(moment: datetime) -> UUID:
    """The lowest id of a record of this moment or a later one: a UUIDv7 begins with its milliseconds (RFC 9562)."""
    milliseconds = max(0, int(moment.timestamp() * 1000))
    return UUID(int=milliseconds << 80 | 7 << 76 | 2 << 62)
