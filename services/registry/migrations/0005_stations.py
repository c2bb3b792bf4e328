"""Stations and their rota, fixed contacts of delegates, oversight groups."""

from alembic import op
from sqlalchemy import text

from chassis.audit import audited
from chassis.ground import protect

revision = "0005"
down_revision = "0004"

SCHEMA = "registry"
TABLES = """
CREATE TABLE station (
    district text NOT NULL DEFAULT current_setting('app.district') REFERENCES district (code),
    id uuid NOT NULL DEFAULT uuidv7(),
    kind text NOT NULL CHECK (kind IN ('house', 'station', 'liaison_point')),
    display_name text NOT NULL,
    unit text NOT NULL,
    address text NOT NULL,
    latitude double precision,
    longitude double precision,
    belongs_to uuid,
    start_date date NOT NULL,
    end_date date,
    close_reason text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    revision bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (district, id),
    FOREIGN KEY (district, unit) REFERENCES unit (district, code),
    FOREIGN KEY (district, belongs_to) REFERENCES station (district, id),
    CHECK (latitude BETWEEN -90 AND 90),
    CHECK (longitude BETWEEN -180 AND 180),
    CHECK ((latitude IS NULL) = (longitude IS NULL)),
    CHECK (kind <> 'house' OR belongs_to IS NULL),
    CHECK (start_date <= end_date),
    CHECK ((end_date IS NULL) = (close_reason = ''))
);
CREATE INDEX station_by_unit ON station (district, unit);
CREATE INDEX station_by_belonging ON station (district, belongs_to);
CREATE TABLE rota_entry (
    district text NOT NULL DEFAULT current_setting('app.district'),
    id uuid NOT NULL DEFAULT uuidv7(),
    station uuid NOT NULL,
    mandate uuid NOT NULL,
    start_date date NOT NULL,
    end_date date NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (district, id),
    FOREIGN KEY (district, station) REFERENCES station (district, id),
    FOREIGN KEY (district, mandate) REFERENCES mandate (district, id),
    CHECK (start_date <= end_date),
    CONSTRAINT rota_once EXCLUDE USING gist (
        district WITH =, station WITH =, mandate WITH =, daterange(start_date, end_date) WITH &&
    )
);
CREATE INDEX rota_by_mandate ON rota_entry (district, mandate);
CREATE TABLE contact (
    district text NOT NULL DEFAULT current_setting('app.district'),
    id uuid NOT NULL DEFAULT uuidv7(),
    mandate uuid NOT NULL,
    person uuid,
    unit text,
    description text NOT NULL DEFAULT '',
    households integer NOT NULL DEFAULT 0 CHECK (households >= 0),
    start_date date NOT NULL,
    end_date date NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (district, id),
    FOREIGN KEY (district, mandate) REFERENCES mandate (district, id),
    FOREIGN KEY (district, person) REFERENCES person (district, id),
    FOREIGN KEY (district, unit) REFERENCES unit (district, code),
    CHECK ((person IS NULL) = (unit IS NOT NULL)),
    CHECK ((unit IS NULL) = (description = '')),
    CHECK (start_date <= end_date),
    CONSTRAINT contact_with_person_once EXCLUDE USING gist (
        district WITH =, mandate WITH =, person WITH =, daterange(start_date, end_date) WITH &&
    ),
    CONSTRAINT contact_with_group_once EXCLUDE USING gist (
        district WITH =, mandate WITH =, unit WITH =, description WITH =, daterange(start_date, end_date) WITH &&
    )
);
CREATE INDEX contact_by_person ON contact (district, person);
CREATE INDEX contact_by_unit ON contact (district, unit);
CREATE TABLE oversight_group (
    district text NOT NULL DEFAULT current_setting('app.district'),
    id uuid NOT NULL DEFAULT uuidv7(),
    assembly uuid NOT NULL,
    term integer NOT NULL,
    topic text NOT NULL CHECK (topic IN (
        'industry_and_rural_revival', 'finance_and_state_assets', 'construction_and_environment', 'social_governance'
    )),
    start_date date NOT NULL,
    rule_version text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (district, id),
    CONSTRAINT oversight_group_once UNIQUE (district, assembly, term, topic),
    FOREIGN KEY (district, assembly, term) REFERENCES term (district, assembly, number)
);
CREATE TABLE oversight_member (
    district text NOT NULL DEFAULT current_setting('app.district'),
    id uuid NOT NULL DEFAULT uuidv7(),
    oversight_group uuid NOT NULL,
    mandate uuid NOT NULL,
    start_date date NOT NULL,
    end_date date NOT NULL,
    PRIMARY KEY (district, id),
    FOREIGN KEY (district, oversight_group) REFERENCES oversight_group (district, id),
    FOREIGN KEY (district, mandate) REFERENCES mandate (district, id),
    CHECK (start_date <= end_date),
    CONSTRAINT oversight_member_once EXCLUDE USING gist (
        district WITH =, oversight_group WITH =, mandate WITH =, daterange(start_date, end_date) WITH &&
    )
);
CREATE INDEX oversight_member_by_mandate ON oversight_member (district, mandate);
CREATE TABLE oversight_leader (
    district text NOT NULL DEFAULT current_setting('app.district'),
    id uuid NOT NULL DEFAULT uuidv7(),
    oversight_group uuid NOT NULL,
    mandate uuid NOT NULL,
    start_date date NOT NULL,
    end_date date NOT NULL,
    PRIMARY KEY (district, id),
    FOREIGN KEY (district, oversight_group) REFERENCES oversight_group (district, id),
    FOREIGN KEY (district, mandate) REFERENCES mandate (district, id),
    CHECK (start_date <= end_date),
    CONSTRAINT one_leader_at_a_time EXCLUDE USING gist (
        district WITH =, oversight_group WITH =, daterange(start_date, end_date) WITH &&
    )
);
CREATE INDEX oversight_leader_by_mandate ON oversight_leader (district, mandate);
"""


def upgrade() -> None:
    statements = list(filter(str.strip, TABLES.split(";")))
    for table in ("station", "rota_entry", "contact", "oversight_group", "oversight_member", "oversight_leader"):
        grants = "SELECT, INSERT" if table == "oversight_group" else "SELECT, INSERT, UPDATE"
        statements += [*protect(SCHEMA, table, grants), *audited(SCHEMA, table)]
    for statement in statements:
        op.execute(text(statement))
