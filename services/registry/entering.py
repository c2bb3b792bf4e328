"""Entering rows whose ids are known before: what is there already stays as it is, so that it can be done again."""

from sqlalchemy import Table
from sqlalchemy.dialects.postgresql import insert

from chassis.sql import Sql


def entering(table: Table, *columns: str) -> Sql:
    """Returns the rows that were not there. A conflict with another row than itself is a fault."""
    key = [column.name for column in table.primary_key]
    return Sql(insert(table).on_conflict_do_nothing(index_elements=key).returning(table), columns=columns)
