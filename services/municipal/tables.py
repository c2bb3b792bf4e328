"""The municipal service's tables: city-wide, without a person. The migrations make them; a test compares the two."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
    text,
)

from chassis import columns

metadata = MetaData()

district = Table(
    "district",
    metadata,
    Column("code", Text, primary_key=True),
    Column("display_name", Text, nullable=False),
    Column("valid_to", Date),
    # The event that said so.
    Column("told", Uuid, nullable=False),
)

# What was last told of a district's month by a service. `change` grows with each telling in the city.
sheet = Table(
    "sheet",
    metadata,
    columns.district(),
    Column("service", Text, nullable=False),
    Column("month", Date, nullable=False),
    Column("told", Uuid, nullable=False),
    Column("told_at", DateTime(timezone=True), nullable=False),
    Column("change", BigInteger, nullable=False, server_default=text("nextval('change')")),
    PrimaryKeyConstraint("district", "service", "month"),
)

# The figures on it. Of what is `few` there is no value.
cell = Table(
    "cell",
    metadata,
    columns.district(),
    Column("service", Text, nullable=False),
    Column("month", Date, nullable=False),
    Column("kind", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("facet", Text, nullable=False),
    Column("value", BigInteger, nullable=False),
    Column("few", Boolean, nullable=False),
    PrimaryKeyConstraint("district", "service", "month", "kind", "unit", "facet"),
)

CITY_TABLES = frozenset(metadata.tables)
