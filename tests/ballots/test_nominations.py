"""Nominations that feedback tells of: entered once, whatever comes twice or early, and heard of to the end."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import SecretStr
from sqlalchemy import Uuid, bindparam, text

from chassis import clock, tenancy
from chassis.bus import Bus
from chassis.database import Database
from chassis.manifest import Event
from chassis.migrations import runtime_url
from chassis.sql import Sql
from quanyutong.ballots.v1 import errors_pb2 as errors
from quanyutong.ballots.v1 import projects_pb2 as projects
from quanyutong.ballots.v1 import suggestions_pb2 as suggestions
from quanyutong.ballots.v1.events_pb2 import NominationAdvanced
from quanyutong.feedback.v1.events_pb2 import Nominated
from services.ballots.campaign_path import is_time
from services.ballots.nominations import enter_waiting, nominated
from tests.ballots.season import FIRST, YEAR, Season
from tests.contract.heard import heard
from tests.contract.office import on
from tests.harness import refused, until

TODAY = clock.today()
OPEN = {"end_date": on(TODAY + timedelta(30))}
# As if the last day of the collection were over.
OVER = Sql(
    text("UPDATE campaign SET end_date = current_date - 2 WHERE id = :key").bindparams(bindparam("key", type_=Uuid))
)


def nomination(season: Season, **fields: Any) -> Nominated:
    given: dict[str, Any] = {
        "nominated": f"opinions/{uuid4()}",
        "title": "老旧小区\n加装电梯",
        "description": "三号楼至九号楼 👵",
        "unit": f"units/{season.district}001",
        "year": YEAR,
    }
    return Nominated(**(given | fields))


async def tell(season: Season, *told: Nominated) -> None:
    """Publishes each as feedback would, with an id of its own."""
    bus = await Bus.connect(season.tenant.platform.nats.url, "test")
    try:
        for each in told:
            event = Event(uuid4(), season.district, each.DESCRIPTOR.full_name, each.nominated)
            await bus.publish(event, each.SerializeToString(), datetime.now(UTC), "")
    finally:
        await bus.close()


@asynccontextmanager
async def service(season: Season) -> AsyncIterator[Database]:
    """The rows of the season's district, as the service itself sees them."""
    platform = season.tenant.platform
    settings = platform.settings.model_copy(update={"database_url": SecretStr(platform.postgres.url)})
    database = Database(runtime_url(settings, "ballots"), "ballots", 4, 30)
    try:
        with tenancy.acting_for(season.district):
            yield database
    finally:
        await database.close()


async def apply(database: Database, event: Nominated) -> None:
    async with database.write() as tx:
        await nominated(tx, event, Event(uuid4(), tx.district, "", ""))


async def listed(season: Season, **filters: Any) -> list[suggestions.Suggestion]:
    source = suggestions.SUGGESTION_SOURCE_NOMINATED
    request = suggestions.ListSuggestionsRequest(source=source, page_size=500, **filters)
    return list((await season.vote("ListSuggestions", request)).suggestions)


async def entered(season: Season, number: int = 1) -> list[suggestions.Suggestion]:
    async def all_there() -> list[suggestions.Suggestion] | None:
        found = await listed(season)
        return found if len(found) == number else None

    found = await until(all_there)
    assert found is not None
    return found


async def test_what_is_told_again_and_again_is_one_suggestion(season: Season) -> None:
    campaign = await season.collecting(**OPEN)
    first, other = nomination(season), nomination(season, nominated=f"delegateProposals/{uuid4()}")
    await tell(season, first, other, first, other, first)
    found = {each.origin: each for each in await entered(season, 2)}
    one = found[first.nominated]
    assert found.keys() == {first.nominated, other.nominated}
    assert (one.campaign, one.unit, one.content) == (campaign, first.unit, "老旧小区 加装电梯：三号楼至九号楼 👵")
    # By a clerk's hand too it is the same one.
    request = suggestions.NominateSuggestionRequest(campaign=campaign, nominated=first.nominated, content="电梯")
    assert (await season.vote("NominateSuggestion", request)).name == one.name
    told = await heard(season, NominationAdvanced, 2)
    assert {each.nominated: each.suggestion for each in told} == {name: each.name for name, each in found.items()}


ORDERS = (("tell", "draft", "notice"), ("draft", "tell", "notice"), ("draft", "notice", "tell"))


@pytest.mark.parametrize("order", ORDERS)
async def test_whatever_comes_first(season: Season, order: Sequence[str]) -> None:
    """Nomination, draft and notice of the campaign; and the nomination once more, at the end."""
    body, event = await season.assembly(), nomination(season)
    async with service(season) as database:
        for step in (*order, "tell"):
            if step == "tell":
                await apply(database, event)
            elif step == "draft":
                campaign = (await season.campaign(body, **OPEN)).name
            else:
                await enter_waiting(database)
                assert await listed(season) == []
                await season.run("PublishNotice", campaign)
                await enter_waiting(database)
    assert [(each.origin, each.campaign) for each in await listed(season)] == [(event.nominated, campaign)]


async def test_rounds_and_redelivery_at_once(season: Season) -> None:
    async with service(season) as database:
        body = await season.assembly()
        event = nomination(season)
        await apply(database, event)
        campaign = (await season.campaign(body, **OPEN)).name
        await enter_waiting(database)
        assert await listed(season) == []
        await season.run("PublishNotice", campaign)
        await asyncio.gather(*(enter_waiting(database) for _ in range(3)), *(apply(database, event) for _ in range(3)))
        assert [each.origin for each in await listed(season)] == [event.nominated]
        assert len(await heard(season, NominationAdvanced, 1)) == 1


async def test_those_who_raised_it_hear_what_becomes_of_it(season: Season) -> None:
    await season.collecting(**OPEN)
    chosen, merged, dropped, rejected = (nomination(season) for _ in range(4))
    await tell(season, chosen, merged, dropped, rejected)
    by_origin = {each.origin: each.name for each in await entered(season, 4)}
    names = [by_origin[each.nominated] for each in (chosen, merged, dropped, rejected)]
    campaign = (await listed(season))[0].campaign
    await season.deal("Merge", names[1], into=names[0])
    await season.deal("Reject", names[3], reason="不属于民生实事")
    async with service(season) as database, database.write() as tx:
        await tx.execute(OVER, key=UUID(campaign.partition("/")[2]))
    await season.run("CloseCollection", campaign)
    made = [(await season.candidate(name)).name for name in (names[0], names[2])]
    await season.run("FixCandidates", campaign)
    poll = await season.voted(made[:1], made[1:])
    steps: dict[str, list[NominationAdvanced]] = {}
    for each in await heard(season, NominationAdvanced, 4 + 1 + 1 + 3 + 3):
        steps.setdefault(each.nominated, []).append(each)
    of_chosen, of_merged = steps[chosen.nominated], steps[merged.nominated]
    candidate, adopted = projects.PROJECT_STATE_CANDIDATE, projects.PROJECT_STATE_ADOPTED
    assert [each.project_state for each in of_chosen] == [0, candidate, adopted]
    # What was merged hears the same of what it was merged into.
    assert [each.suggestion for each in of_merged] == [names[1], *[names[0]] * 3]
    assert of_merged[2:] == [
        NominationAdvanced(nominated=merged.nominated, **_but_name(each)) for each in of_chosen[1:]
    ]
    assert (of_chosen[-1].poll, of_chosen[-1].project) == (poll, made[0])
    assert steps[dropped.nominated][-1].project_state == projects.PROJECT_STATE_NOT_ADOPTED
    last = steps[rejected.nominated][-1]
    assert (last.suggestion_state, last.reject_reason) == (
        suggestions.SUGGESTION_STATE_REJECTED,
        "不属于民生实事",
    )


def _but_name(event: NominationAdvanced) -> dict[str, Any]:
    return {field.name: value for field, value in event.ListFields() if field.name != "nominated"}


async def test_what_cannot_enter_is_refused_and_told(season: Season) -> None:
    campaign = await season.collecting()  # its window is over
    reasons = ["SUGGESTION_OUTSIDE_WINDOW", "CAMPAIGN_NOT_FOUND", "CAMPAIGN_STATE_REFUSED"]
    async with service(season) as database:
        await apply(database, nomination(season))
        await apply(database, nomination(season, year=YEAR - 1))
        await season.run("CloseCollection", campaign)
        await apply(database, nomination(season))
    told = await heard(season, NominationAdvanced, 3)
    assert [errors.ErrorReason.Name(each.refusal).removeprefix("ERROR_REASON_") for each in told] == reasons
    assert await listed(season) == []


async def test_a_foreign_place_and_a_contact(season: Season) -> None:
    await season.collecting(**OPEN)
    foreign = nomination(season, place="units/999999001")
    async with service(season) as database:
        await apply(database, foreign)
        await apply(database, nomination(season, description="联系13800138000"))
    (told, _) = await heard(season, NominationAdvanced, 2)
    assert (told.nominated, told.refusal) == (foreign.nominated, errors.ERROR_REASON_UNIT_REFUSED)
    assert [each.content for each in await listed(season)] == ["老旧小区 加装电梯：联系…"]


async def test_a_rejection_says_nothing_of_persons(season: Season) -> None:
    campaign = await season.collecting()
    suggestion = (await season.suggest(campaign)).name
    reason = await refused(season.deal("Reject", suggestion, reason="请致电13800138000"))
    assert reason == "ERROR_REASON_CONTACT_REFUSED"


@pytest.mark.parametrize(
    ("campaign", "today", "time"),
    [
        (None, date(YEAR, 12, 31), False),
        (None, date(YEAR + 1, 1, 1), True),
        (("drafted", FIRST), date(YEAR, 12, 31), False),
        (("collecting", FIRST), FIRST - timedelta(1), False),
        (("collecting", FIRST), FIRST, True),
        (("voted", FIRST), FIRST, True),
    ],
)
def test_whether_its_time_has_come(campaign: tuple[str, date] | None, today: date, time: bool) -> None:
    assert is_time(YEAR, campaign, today) == time
