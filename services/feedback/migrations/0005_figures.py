"""What was last told of each month's counts."""

from alembic import op
from sqlalchemy import text

from chassis.figures import create_told_month

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    for statement in create_told_month("feedback"):
        op.execute(text(statement))
