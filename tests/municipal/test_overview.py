"""The city at a glance, a district among the others, rankings, series, lists: of what was done through the API."""

from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest

from chassis import clock
from chassis.wire import date_message
from quanyutong.meetings.v1.plan_pb2 import OBLIGATION_KIND_ASSEMBLY_MEETING
from quanyutong.municipal.v1 import indicators_pb2, lists_pb2
from quanyutong.municipal.v1 import overviews_pb2 as pb
from tests.conftest import Platforms, fresh_tenant
from tests.contract.office import in_days
from tests.feedback.hearing import Hearing
from tests.harness import reason, refused, until
from tests.meetings.annual import owed
from tests.meetings.secretariat import Secretariat
from tests.municipal.hall import CityHall, amount, by_word


@pytest.fixture
async def hearing(platforms: Platforms) -> AsyncIterator[Hearing]:
    async with fresh_tenant(platforms, "split-gateway") as tenant:
        yield Hearing(tenant)


@pytest.fixture
def hall(hearing: Hearing) -> CityHall:
    return CityHall(hearing.tenant)


async def test_a_district_that_registers_hears_and_meets_is_seen(hearing: Hearing, hall: CityHall) -> None:
    assert await hall.column() == {} or amount((await hall.column())["assemblies"]) == (0, 0)
    unit = await hearing.unit()
    term = await hearing.term(await hearing.assembly(unit))
    for _ in range(3):
        await hearing.active(term)
    await hearing.answered()
    await hearing.opinion("公园缺少座椅")
    found = await hall.until(representatives=3, opinions=2)
    assert amount(found["assemblies"]) == (1, 1)
    assert amount(found["opinions_done"]) == (0, 2)
    assert amount(found["opinion_days"]) == (0, 1)
    # Of the three only women are told, and they are too few to be told how many.
    assert found["women"].part.least == found["women"].part.most == 0 or found["women"].part.least == 1
    overview = await hall.overview()
    city = by_word(overview.measures)
    assert city["representatives"].part.least >= 3
    assert city["representatives"].districts >= 1
    assert {each.service for each in overview.as_of} >= {"registry", "feedback"}
    assert [each.district for each in overview.districts] == sorted(each.district for each in overview.districts)


async def test_what_happened_counts_from_the_month_in_which_it_did(hearing: Hearing, hall: CityHall) -> None:
    first = clock.today().replace(day=1)
    before = in_days(-40).replace(day=1)
    await hearing.opinion(receive_date=date_message(before))
    found = await hall.until(before, opinions=1)
    assert found["opinions"].part.least == 1
    months: dict[str, Any] = {"from_month": date_message(before), "to_month": date_message(first)}
    request = pb.GetDistrictTimeSeriesRequest(indicator=indicators_pb2.INDICATOR_OPINIONS, **months)
    points = (await hall.ask("GetDistrictTimeSeries", request, "viewer")).points
    assert points[0].measure.part.least == 1
    assert sum(point.measure.part.least for point in points) == 1
    of_city = pb.GetCityTimeSeriesRequest(indicator=indicators_pb2.INDICATOR_OPINIONS, district=hall.name, **months)
    assert list((await hall.ask("GetCityTimeSeries", of_city)).points) == list(points)


async def test_a_district_sees_its_own_column_and_no_neighbours(hearing: Hearing, hall: CityHall) -> None:
    await hearing.unit()
    await hall.until(assemblies=0)
    own = await hall.ask("GetDistrictOverview", pb.GetDistrictOverviewRequest(), "viewer")
    assert own.column.district == hall.name
    assert amount(by_word(own.column.measures)["assemblies"]) == (0, 1)
    assert all(average.indicator for average in own.averages)
    for rpc, request in (
        ("GetCityOverview", pb.GetCityOverviewRequest()),
        ("ListRankings", pb.ListRankingsRequest(indicator=indicators_pb2.INDICATOR_OPINIONS)),
        ("ListFigures", lists_pb2.ListFiguresRequest()),
    ):
        assert await refused(hall.ask(rpc, request, "administrator")) == "ERROR_REASON_SCOPE_REFUSED"


async def test_traits_of_few_delegates_are_coarse(hearing: Hearing, hall: CityHall) -> None:
    term = await hearing.term(await hearing.assembly())
    for number in range(7):
        await hearing.active(term, await hearing.eligible(term, gender=1 if number < 2 else 2))
    await hall.until(representatives=7)
    told = await hall.figures("DELEGATES_WITH", clock.today())
    men, women = (told["DELEGATES_WITH", "", f"SUBDISTRICT_ASSEMBLY/GENDER/{word}"] for word in ("MALE", "FEMALE"))
    # Two men; and without them being told, the seven less the women would tell them.
    assert (men.few, men.value, women.few, women.value) == (True, 0, True, 0)
    column = await hall.column()
    assert (column["women"].part.least, column["women"].part.most) == (1, 4)


async def test_rankings_come_in_pages_and_say_where_nothing_is_ranked(hearing: Hearing, hall: CityHall) -> None:
    for _ in range(2):
        await hearing.opinion()
    await hall.until(opinions=2)
    request = pb.ListRankingsRequest(indicator=indicators_pb2.INDICATOR_OPINIONS, page_size=1)
    found, token = [], ""
    while True:
        request.page_token = token
        page = await hall.ask("ListRankings", request)
        found += page.rankings
        if not (token := page.next_page_token):
            break
    assert len({each.district for each in found}) == len(found)
    ranks = [each.rank for each in found]
    assert ranks == sorted(ranks)
    own = next(each for each in found if each.district == hall.name)
    assert own.rank == 1 + sum(each.measure.part.least > 2 for each in found)
    shares = pb.ListRankingsRequest(indicator=indicators_pb2.INDICATOR_BUDGET_SPENT, page_size=500)
    assert next(e for e in (await hall.ask("ListRankings", shares)).rankings if e.district == hall.name).rank == 0


async def test_obligations_that_are_overdue_are_listed(hearing: Hearing, hall: CityHall) -> None:
    unit = await hearing.unit()
    body = await hearing.assembly(unit)
    await hearing.open_term(body, start=f"{clock.today().year - 2}-01-01")
    await until(lambda: owed(Secretariat(hearing.tenant), body=body))
    # What others told is counted with what is done here, or after some minutes.
    await Secretariat(hearing.tenant).venue()
    year = clock.today().year - 1
    await hall.until(in_days(0).replace(year=year, month=12, day=1), obligations_overdue=2)
    request = lists_pb2.ListOverdueObligationsRequest(district=hall.name, year=year, page_size=1)
    first = await hall.ask("ListOverdueObligations", request)
    request.page_token = first.next_page_token
    second = await hall.ask("ListOverdueObligations", request)
    entries = [*first.overdue_obligations, *second.overdue_obligations]
    assert [(each.unit, each.kind, each.obligations) for each in entries] == [
        (unit, OBLIGATION_KIND_ASSEMBLY_MEETING, 1)
    ] * 2
    assert {each.month.year for each in entries} == {year}


async def test_undertakers_are_evaluated(hearing: Hearing, hall: CityHall) -> None:
    term = await hearing.term(await hearing.assembly())
    await hearing.answered_proposal(await hearing.active(term))
    await hall.until(proposals=1)
    found = await hall.ask("ListUndertakers", lists_pb2.ListUndertakersRequest(district=hall.name))
    (undertaker,) = found.undertakers
    assert (undertaker.display_name, undertaker.assigned, undertaker.answered, undertaker.on_time) == (
        "区交通局",
        1,
        1,
        1,
    )
    nothing = lists_pb2.ListLateProjectsRequest(district=hall.name)
    assert list((await hall.ask("ListLateProjects", nothing)).late_projects) == []


async def test_a_watch_tells_each_change_and_resumes(hearing: Hearing, hall: CityHall) -> None:
    await hearing.opinion()
    await hall.until(opinions=1)
    metadata = hall.tenant.platform.metadata(["overseer"])
    watch = hall.tenant.municipal.WatchOverview(pb.WatchOverviewRequest(), metadata=metadata, timeout=120)
    first = await watch.read()
    assert first.complete
    assert hall.name in {each.district for each in first.districts}
    watch.cancel()
    await hearing.opinion("公园缺少座椅")
    await hall.until(opinions=2)
    again = hall.tenant.municipal.WatchOverview(
        pb.WatchOverviewRequest(cursor=first.cursor), metadata=metadata, timeout=120
    )
    changed = await again.read()
    own = [by_word(each.measures) for each in changed.districts if each.district == hall.name]
    assert not changed.complete
    assert [each["opinions"].part.least for each in own] == [2]
    again.cancel()


async def test_a_month_that_is_none_is_refused(hall: CityHall) -> None:
    request = pb.GetCityOverviewRequest()
    request.month.year, request.month.month, request.month.day = 2026, 13, 1
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await hall.ask("GetCityOverview", request)
    assert reason(refusal.value) == "ERROR_REASON_FIELD_INVALID"
