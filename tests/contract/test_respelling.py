"""Names that were entered before they were spelt are found after the next migration."""

import asyncpg

from quanyutong.registry.v1 import persons_pb2 as pb
from services.registry.respelling import BATCH, spell_names
from tests.audit.archive import opened
from tests.contract.office import Office, new_people


async def test_names_without_spelling_are_spelt(office: Office) -> None:
    platform = office.tenant.platform
    await office.register(await office.term(await office.congress()), new_people(BATCH + 1))
    name = await office.person("曾国强")
    connection = await asyncpg.connect(platform.postgres.url)
    try:
        forget = "UPDATE registry.person SET pinyin = NULL, initials = NULL WHERE district = $1"
        await connection.execute("SELECT set_config('app.district', $1, false)", office.district)  # for the audit
        await connection.execute(forget, office.district)
        request = pb.ListPersonsRequest(query="zgq")
        assert not (await office.call("ListPersons", request)).persons
        database = opened(platform)
        try:
            await spell_names(database)
        finally:
            await database.close()
        assert [found.name for found in (await office.call("ListPersons", request)).persons] == [name]
        left = "SELECT count(*) FROM registry.person WHERE district = $1 AND pinyin IS NULL"
        assert await connection.fetchval(left, office.district) == 0
    finally:
        await connection.close()
