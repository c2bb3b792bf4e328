"""The rules of isolation, asked of PostgreSQL's catalogue: each query returns what breaks its rule.

A rule is asked of one schema, whatever service it belongs to, and holds for
tables that do not exist yet.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import asyncpg

from chassis.audit import EXEMPT
from chassis.ground import TENANT, owner_role, relay_role, runtime_role
from chassis.manifest import Manifest


@dataclass(frozen=True)
class Subject:
    """A schema, its city-wide tables, its three roles, and the tables that must not be audited."""

    schema: str
    city: tuple[str, ...]
    owner: str
    runtime: str
    relay: str
    unaudited: tuple[str, ...] = ()

    @classmethod
    def of(cls, manifest: Manifest) -> "Subject":
        name = manifest.name
        roles = (owner_role(name), runtime_role(name), relay_role(name))
        return cls(name, tuple(manifest.city_tables), *roles, tuple(manifest.unaudited))


# What every rule may speak of. `alembic_version` is the migrations' own: it holds a revision and no district.
COMMON = """
WITH subject AS (
    SELECT $1::text AS schema, $2::text[] AS city, $3::text AS owner, $4::text AS runtime, $5::text AS relay,
           $6::text[] AS unaudited
),
relation AS (
    SELECT c.oid, c.relname::text AS name, c.relkind, c.relowner, c.relrowsecurity, c.relforcerowsecurity, c.reloptions,
           c.relacl, c.relname = ANY (city) AS of_city
    FROM pg_class c JOIN subject ON c.relnamespace = schema::regnamespace
),
held AS (SELECT * FROM relation WHERE relkind IN ('r', 'p', 'f', 'm') AND name <> 'alembic_version'),
tenant AS (SELECT * FROM held WHERE NOT of_city),
policy AS (
    SELECT t.name AS of_table, t.of_city, p.polname::text AS name, p.polcmd, p.polroles,
           pg_get_expr(p.polqual, p.polrelid) AS seen, pg_get_expr(p.polwithcheck, p.polrelid) AS written
    FROM pg_policy p JOIN held t ON t.oid = p.polrelid
),
first_column AS (
    SELECT i.indexrelid, i.indrelid, a.attname::text AS name FROM pg_index i
    LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
),
server AS (SELECT r.* FROM pg_roles r JOIN subject ON r.rolname IN (runtime, relay))
"""
_BOUND = "(district = current_setting('app.district'::text, true))"
assert TENANT == "district = current_setting('app.district', true)", "the policies are written in another way now"

RULES: Mapping[str, str] = {
    "row-level security is on": "SELECT name FROM held WHERE NOT relrowsecurity",
    "row-level security binds the owner too": "SELECT name FROM held WHERE NOT relforcerowsecurity",
    "there is a column district, and it is never empty": """
        SELECT name FROM tenant WHERE NOT EXISTS (
            SELECT FROM pg_attribute WHERE attrelid = tenant.oid AND attname = 'district' AND attnotnull
        )""",
    "a policy binds reading and writing to the district": f"""
        SELECT name FROM tenant WHERE NOT EXISTS (
            SELECT FROM policy WHERE of_table = tenant.name AND polcmd = '*' AND 0 = ANY (polroles)
            AND seen = '{_BOUND.replace("'", "''")}' AND written = '{_BOUND.replace("'", "''")}'
        )""",
    # Policies add up: one loose policy beside a strict one is a hole. The relay reads every district's outbox.
    "no policy lets more through": f"""
        SELECT of_table || '.' || policy.name FROM policy, subject
        WHERE NOT of_city
        AND (coalesce(seen, written) <> '{_BOUND.replace("'", "''")}'
             OR coalesce(written, seen) <> '{_BOUND.replace("'", "''")}')
        AND NOT (of_table IN ('outbox', 'idempotency') AND polroles = ARRAY[relay::regrole::oid])""",
    "a city-wide table is written by acting for a district": """
        SELECT of_table || '.' || name FROM policy
        WHERE of_city AND polcmd <> 'r' AND coalesce(written, seen) NOT LIKE '%current_setting(''app.district''%'""",
    "district comes first in every key": """
        SELECT indexrelid::regclass::text FROM first_column JOIN tenant ON tenant.oid = indrelid
        JOIN pg_index USING (indexrelid)
        WHERE (indisunique OR indisexclusion) AND first_column.name IS DISTINCT FROM 'district'""",
    "district comes first in every reference": """
        SELECT tenant.name || '.' || conname FROM pg_constraint JOIN tenant ON tenant.oid = conrelid
        JOIN pg_attribute own ON own.attrelid = conrelid AND own.attnum = conkey[1]
        JOIN pg_attribute other ON other.attrelid = confrelid AND other.attnum = confkey[1]
        WHERE contype = 'f' AND (own.attname <> 'district'
            OR other.attname <> 'district' AND confrelid NOT IN (SELECT oid FROM held WHERE of_city))""",
    # The audit's functions act as the owner, whom the policies bind too, on tables that they name in full; the one of
    # ballots rewrites tables and reads nothing.
    "nothing is reached past its policies": """
        SELECT proname::text FROM pg_proc, subject WHERE pronamespace = schema::regnamespace AND prosecdef
        AND NOT (proname IN ('record_change', 'note_audit', 'sweep_votes') AND proowner = owner::regrole
            AND proconfig IS NOT DISTINCT FROM ARRAY['search_path=' || schema || ', pg_temp']
            AND NOT has_function_privilege('public', pg_proc.oid, 'EXECUTE'))
        UNION ALL
        SELECT name FROM relation
        WHERE relkind = 'v' AND NOT coalesce('security_invoker=true' = ANY (reloptions), false)""",
    "everything belongs to the owner, who cannot log in": """
        SELECT name FROM relation, subject WHERE relkind NOT IN ('i', 'I') AND relowner <> owner::regrole
        UNION ALL
        SELECT rolname FROM pg_roles, subject WHERE rolname = owner AND rolcanlogin""",
    "a server's role is a plain one": """
        SELECT rolname::text FROM server
        WHERE rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication
        UNION ALL
        SELECT rolname || ' in ' || roleid::regrole FROM server JOIN pg_auth_members ON member = server.oid""",
    "a server's role makes nothing": """
        SELECT rolname || ' in ' || nspname FROM server, pg_namespace
        WHERE nspname !~ '^pg_' AND has_schema_privilege(server.oid, pg_namespace.oid, 'CREATE')
        UNION ALL
        SELECT rolname || ' in the database' FROM server
        WHERE has_database_privilege(server.oid, current_database(), 'CREATE')""",
    # Truncating and referring are not subject to row-level security.
    "a server's role reads and writes rows, and does no more": """
        SELECT rolname || ' may ' || right_to || ' ' || name
        FROM server, relation, unnest(ARRAY['TRUNCATE', 'REFERENCES', 'TRIGGER', 'MAINTAIN']) AS right_to
        WHERE relkind IN ('r', 'p', 'v', 'm', 'f') AND has_table_privilege(server.oid, relation.oid, right_to)""",
    "nobody else has any right": """
        SELECT name || ' to ' || coalesce(grantee.rolname, 'public')
        FROM relation CROSS JOIN subject CROSS JOIN aclexplode(relacl) AS acl
        LEFT JOIN pg_roles grantee ON grantee.oid = acl.grantee
        WHERE coalesce(grantee.rolname, 'public') NOT IN (owner, runtime, relay)
        UNION ALL
        SELECT schema || ' to ' || rolname FROM subject, pg_roles
        WHERE NOT rolsuper AND rolname NOT IN (owner, runtime, relay) AND has_schema_privilege(rolname, schema, 'USAGE')
        AND rolname !~ '^pg_'""",
    "the relay sees events and the age of answers": """
        SELECT attrelid::regclass || '.' || attname || ': ' || right_to
        FROM relation CROSS JOIN subject CROSS JOIN unnest(ARRAY['SELECT', 'INSERT', 'UPDATE']) AS right_to
        JOIN pg_attribute ON attrelid = relation.oid AND attnum > 0 AND NOT attisdropped
        WHERE relkind IN ('r', 'p', 'v', 'm', 'f') AND has_column_privilege(relay, relation.oid, attnum, right_to)
        AND NOT (right_to = 'SELECT' AND (name = 'outbox' OR name = 'idempotency' AND attname = 'answered_at'))
        UNION ALL
        SELECT name || ': DELETE' FROM relation, subject
        WHERE relkind IN ('r', 'p') AND has_table_privilege(relay, relation.oid, 'DELETE')
        AND name NOT IN ('outbox', 'idempotency')""",
    "what was published or answered is never changed": """
        SELECT name || ': ' || right_to FROM relation CROSS JOIN subject, unnest(ARRAY['UPDATE', 'DELETE']) AS right_to
        WHERE name IN ('outbox', 'inbox', 'idempotency', 'alembic_version', 'audit', 'audit_seal')
        AND has_table_privilege(runtime, relation.oid, right_to)""",
    "every change of a row is recorded, or says why not": f"""
        SELECT name || ': ' || event FROM subject, held, unnest(ARRAY['insert', 'update', 'delete']) AS event
        WHERE relkind <> 'm' AND name NOT IN ({", ".join(f"'{table}'" for table in sorted(EXEMPT))})
        AND name <> ALL (unaudited) AND NOT EXISTS (
            SELECT FROM pg_trigger WHERE tgrelid = held.oid AND tgname = 'audit_' || event AND tgenabled = 'O'
            AND tgfoid = to_regproc(schema || '.record_change')
        )""",
    "nothing tells of a secret ballot": """
        SELECT held.name || '.' || tgname FROM subject, held JOIN pg_trigger ON tgrelid = held.oid
        WHERE held.name = ANY (unaudited) AND NOT tgisinternal""",
    "a record names the whole key": r"""
        SELECT name || '.' || tgname FROM held JOIN pg_trigger ON tgrelid = held.oid AND tgname LIKE 'audit\_%'
        JOIN pg_index ON indrelid = held.oid AND indisprimary
        WHERE split_part(encode(tgargs, 'escape'), '\000', 1)::text[] IS DISTINCT FROM ARRAY(
            SELECT attname::text FROM pg_attribute WHERE attrelid = held.oid AND attnum = ANY (indkey)
            AND attname <> 'district' ORDER BY array_position(indkey::int2[], attnum)
        )""",
}


async def violations(connection: asyncpg.Connection, subject: Subject) -> set[tuple[str, str]]:
    """Each rule that is broken, with what breaks it."""
    given = (subject.schema, subject.city, subject.owner, subject.runtime, subject.relay, subject.unaudited)
    return {(rule, row[0]) for rule, query in RULES.items() for row in await connection.fetch(COMMON + query, *given)}
