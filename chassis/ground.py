"""What every service's schema stands on: its roles, its common tables, and the rule of isolation.

Three roles a service. The owner migrates and cannot log in. The runtime role
serves calls: not an owner, no BYPASSRLS, so it sees the rows of the
transaction's district alone. The relay role reads and deletes outbox rows of
all districts and clears old answers, and can do nothing else.
"""

from typing import Final

TENANT: Final = "district = current_setting('app.district', true)"
# As first migration of a service. Never changed once released: a change is a migration of its own.
COMMON_TABLES = """
CREATE TABLE outbox (
    district text NOT NULL CHECK (district ~ '^[0-9]{6}$'),
    id bigint GENERATED ALWAYS AS IDENTITY,
    event_id uuid NOT NULL DEFAULT uuidv7(),
    type text NOT NULL,
    aggregate text NOT NULL,
    payload bytea NOT NULL,
    traceparent text NOT NULL,
    occurred_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (district, id)
);
CREATE INDEX outbox_in_order ON outbox (id);
CREATE TABLE inbox (
    district text NOT NULL CHECK (district ~ '^[0-9]{6}$'),
    event_id uuid NOT NULL,
    PRIMARY KEY (district, event_id)
);
CREATE TABLE idempotency (
    district text NOT NULL CHECK (district ~ '^[0-9]{6}$'),
    subject text NOT NULL,
    request_id text NOT NULL,
    digest bytea NOT NULL,
    answer bytea NOT NULL,
    answered_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (district, subject, request_id)
);
CREATE INDEX idempotency_by_age ON idempotency (answered_at);
"""

# Waits for a request of the same id that is under way, then looks for its answer: two statements, so that the second
# one sees what the first one waited for.
RECALL = """
CREATE FUNCTION recall(_subject text, _request_id text) RETURNS TABLE (digest bytea, answer bytea)
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(_subject || ' ' || _request_id, 0));
    RETURN QUERY SELECT i.digest, i.answer FROM idempotency i
        WHERE i.subject = _subject AND i.request_id = _request_id;
END $$
"""


def owner_role(schema: str) -> str:
    return f"qyt_{schema}_owner"


def runtime_role(schema: str) -> str:
    return f"qyt_{schema}"


def relay_role(schema: str) -> str:
    return f"qyt_{schema}_relay"


def create_ground(schema: str) -> list[str]:
    """The statements of a service's first migration."""
    relay = relay_role(schema)
    return [
        *filter(str.strip, COMMON_TABLES.split(";")),
        RECALL,
        *protect(schema, "outbox", "INSERT"),
        *protect(schema, "inbox", "SELECT, INSERT"),
        *protect(schema, "idempotency", "SELECT, INSERT"),
        f"CREATE POLICY relay ON outbox TO {relay} USING (true)",
        f"GRANT SELECT, DELETE ON outbox TO {relay}",
        f"CREATE POLICY relay ON idempotency TO {relay} USING (true)",
        f"GRANT SELECT (answered_at), DELETE ON idempotency TO {relay}",
        f"GRANT SELECT ON alembic_version TO {runtime_role(schema)}",
    ]


def protect(schema: str, table: str, grants: str) -> list[str]:
    """Puts a tenant's table under the rule: even its owner sees one district at a time."""
    return [
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY tenant ON {table} USING ({TENANT}) WITH CHECK ({TENANT})",
        f"GRANT {grants} ON {table} TO {runtime_role(schema)}",
    ]
