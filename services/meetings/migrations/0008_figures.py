"""What was last told of each month's counts."""

from alembic import op
from sqlalchemy import text

from chassis.figures import create_told_month

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    for statement in create_told_month("meetings"):
        op.execute(text(statement))
