"""Every change of the registry's rows is recorded."""

from alembic import op
from sqlalchemy import text

from chassis.audit import audited, create_audit

revision = "0002"
down_revision = "0001"

SCHEMA = "registry"
# The key of each table, without the district. The directory is the city's; who suspended a district is its affair too.
KEYS = {
    "district": ("code",),
    "unit": ("code",),
    "rule_override": ("rule", "revision"),
    "assembly": ("id",),
    "term": ("assembly", "number"),
    "person": ("id",),
    "mandate": ("id",),
}


def upgrade() -> None:
    statements = create_audit(SCHEMA)
    for table, key in KEYS.items():
        statements += audited(SCHEMA, table, key)
    for statement in statements:
        op.execute(text(statement))
