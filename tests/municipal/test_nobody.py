"""The city holds no person, and nothing that leads to one."""

import re

import asyncpg
import pytest

from quanyutong.common.v1.figures_pb2 import Figure, FiguresSheet
from quanyutong.municipal.v1 import municipal_pb2
from tests.conftest import Platforms, fresh_tenant
from tests.contract.office import Office
from tests.feedback.hearing import Hearing
from tests.isolation.rpcs import request_of
from tests.municipal.hall import CityHall

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
NAME, PHONE = "欧阳娜娜", "13800138000"
SAID = "我家住在滨江路三号，路灯不亮"


def test_what_is_told_has_no_place_for_a_name() -> None:
    assert [field.name for field in FiguresSheet.DESCRIPTOR.fields] == ["month", "figures"]
    assert [field.name for field in Figure.DESCRIPTOR.fields] == ["kind", "unit", "facet", "value", "few"]


def test_no_answer_has_a_field_for_a_person() -> None:
    methods = municipal_pb2.DESCRIPTOR.services_by_name["MunicipalService"].methods
    fields = {field.name for method in methods for field in method.output_type.fields}
    assert not fields & {"person", "mandate", "delegate", "opinion", "poll", "meeting"}


async def test_nothing_of_who_did_it_arrives(platforms: Platforms) -> None:
    async with fresh_tenant(platforms, "all-direct") as tenant:
        hearing, hall = Hearing(tenant), CityHall(tenant)
        term = await hearing.term(await hearing.assembly())
        person = await hearing.eligible(term, NAME, phone=PHONE)
        mandate = await hearing.active(term, person)
        await hearing.opinion(SAID)
        await hearing.answered_proposal(mandate)
        await hall.until(representatives=1, opinions=1, proposals=1)
        connection = await asyncpg.connect(tenant.platform.postgres.url)
        try:
            rows = [
                row["line"]
                for table in ("cell", "sheet")
                for row in await connection.fetch(
                    f"SELECT (to_jsonb(t) - 'told')::text AS line FROM municipal.{table} t WHERE district = $1",
                    tenant.district,
                )
            ]
        finally:
            await connection.close()
    text = "\n".join(rows)
    assert len(rows) > 10
    for secret in (NAME, PHONE, SAID, "路灯"):
        assert secret not in text
    assert not UUID.search(text)


@pytest.mark.parametrize("rpc", ["GetCityOverview", "ListFigures", "ListUndertakers"])
async def test_no_answer_names_anybody(platforms: Platforms, rpc: str) -> None:
    async with fresh_tenant(platforms, "all-direct") as tenant:
        office, hall = Office(tenant), CityHall(tenant)
        term = await office.term(await office.assembly())
        await office.active(term, await office.eligible(term, NAME))
        await hall.until(representatives=1)
        request = request_of(f"/quanyutong.municipal.v1.MunicipalService/{rpc}")()
        answer = str(await hall.ask(rpc, request))
        assert "as_of" in answer
        assert NAME not in answer
