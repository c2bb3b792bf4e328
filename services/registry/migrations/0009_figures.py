"""What was last told of each month's counts."""

from alembic import op
from sqlalchemy import text

from chassis.figures import create_told_month

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    for statement in create_told_month("registry"):
        op.execute(text(statement))
