"""What residents and delegates raise becomes a livelihood project, once, and they hear what becomes of it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from chassis import clock
from quanyutong.ballots.v1 import projects_pb2, suggestions_pb2
from quanyutong.feedback.v1 import intakes_pb2 as intakes
from quanyutong.feedback.v1 import merging_pb2 as merging
from quanyutong.feedback.v1 import nominations_pb2 as pb
from quanyutong.feedback.v1 import opinions_pb2
from tests.ballots.season import YEAR, Season
from tests.conftest import Platforms, Tenant, fresh_tenant, tenant_of
from tests.contract.office import on
from tests.feedback.hearing import Hearing
from tests.harness import during, insist, platform, refused, until

OPEN = {"end_date": on(clock.today() + timedelta(30))}
WAITING, COLLECTED = pb.NOMINATION_STATE_WAITING, pb.NOMINATION_STATE_COLLECTED
ADOPTED, NOT_ADOPTED = pb.NOMINATION_STATE_ADOPTED, pb.NOMINATION_STATE_NOT_ADOPTED
OVER = "UPDATE ballots.campaign SET end_date = current_date - 2 WHERE id = $1"
SAID = "三号楼王大爷下不了楼，电话我就不留了"


class Raising(Hearing):
    """The office for opinions, and the one for projects next door."""

    def __init__(self, tenant: Tenant) -> None:
        super().__init__(tenant)
        self.season = Season(tenant)

    def nomination(self, nominated: str, **fields: Any) -> pb.Nomination:
        given: dict[str, Any] = {
            "title": "老旧小区加装电梯",
            "description": "三号楼至九号楼",
            "unit": f"units/{self.district}001",
            "year": YEAR,
        }
        return pb.Nomination(nominated=nominated, **(given | fields))

    async def nominate(self, nominated: str, *roles: str, **fields: Any) -> pb.Nomination:
        request = pb.CreateNominationRequest(nomination=self.nomination(nominated, **fields))
        made: pb.Nomination = await self.hear("CreateNomination", request, *roles)
        return made

    async def nominations(self, **filters: Any) -> list[pb.Nomination]:
        found = await self.hear("ListNominations", pb.ListNominationsRequest(page_size=500, **filters))
        return list(found.nominations)

    async def at(self, state: Any, count: int) -> dict[str, pb.Nomination]:
        """As many as are in this state in the end, by what was nominated."""

        async def there() -> list[pb.Nomination] | None:
            found = await self.nominations(state=state)
            return found if len(found) == count else None

        found: Any = await until(there)
        return {each.nominated: each for each in found}

    async def told(self, opinion: opinions_pb2.Opinion) -> pb.Nomination:
        """What the asker hears of it."""
        asked = intakes.GetStatusRequest(district=self.district, code=opinion.receipt)
        status: intakes.OpinionStatus = await self.anonymously("GetStatus", asked)
        return status.nomination

    async def unmerge(self, name: str) -> None:
        await self.hear("UnmergeOpinion", merging.UnmergeOpinionRequest(name=name))

    async def elapse_campaign(self, campaign: str) -> None:
        """As if the last day of the collection were over."""
        connection = await asyncpg.connect(self.tenant.platform.postgres.url)
        try:
            await connection.execute("SELECT set_config('app.district', $1, false)", self.district)
            await connection.execute(OVER, UUID(campaign.partition("/")[2]))
        finally:
            await connection.close()

    async def collected(self) -> list[suggestions_pb2.Suggestion]:
        source = suggestions_pb2.SUGGESTION_SOURCE_NOMINATED
        request = suggestions_pb2.ListSuggestionsRequest(source=source, page_size=500)
        return list((await self.season.vote("ListSuggestions", request)).suggestions)

    async def collected_of(self, count: int) -> list[suggestions_pb2.Suggestion]:
        async def there() -> list[suggestions_pb2.Suggestion] | None:
            found = await self.collected()
            return found if len(found) == count else None

        found: Any = await until(there)
        return list(found)


@pytest.fixture(params=["all-direct", "split-gateway"])
async def raising(request: pytest.FixtureRequest, platforms: Platforms) -> AsyncIterator[Raising]:
    async with fresh_tenant(platforms, request.param) as tenant:
        yield Raising(tenant)


async def test_from_an_opinion_to_an_accepted_project(raising: Raising) -> None:
    opinion, other = [await raising.opinion(SAID) for _ in range(2)]
    made = await raising.nominate(opinion.name)
    assert (made.state, made.nominated) == (WAITING, opinion.name)
    assert await refused(raising.nominate(opinion.name)) == "ERROR_REASON_NOMINATED_ALREADY"
    assert await raising.steps(opinion.name) == ["receive", "nominate"]
    await raising.nominate(other.name, title="新建托育园")
    assert (await raising.told(opinion)).state == WAITING
    campaign = await raising.season.collecting(**OPEN)
    entered = await raising.at(COLLECTED, 2)
    collected = {each.origin: each for each in await raising.collected()}
    assert {name: each.suggestion for name, each in entered.items()} == {n: e.name for n, e in collected.items()}
    # What was written anew becomes public, and what the resident said does not.
    assert collected[opinion.name].content == "老旧小区加装电梯：三号楼至九号楼"
    await raising.elapse_campaign(campaign)
    await raising.season.run("CloseCollection", campaign)
    chosen, dropped = [(await raising.season.candidate(collected[each.name].name)).name for each in (opinion, other)]
    await raising.season.run("FixCandidates", campaign)
    poll = await raising.season.voted([chosen], [dropped])
    (adopted,) = (await raising.at(ADOPTED, 1)).values()
    assert (adopted.project, adopted.poll) == (chosen, poll)
    await raising.at(NOT_ADOPTED, 1)
    heard = await raising.told(opinion)
    assert (heard.state, heard.title, heard.year, heard.project) == (ADOPTED, "老旧小区加装电梯", YEAR, chosen)
    # By the code nothing is told of others: not even under which name the opinion is known here.
    assert (heard.name, heard.nominated, heard.suggestion) == ("", "", "")
    found = await raising.hear("GetNomination", pb.GetNominationRequest(name=made.name))
    assert found == adopted
    await raising.season.carry_out(chosen)
    await raising.at(pb.NOMINATION_STATE_ACCEPTED, 1)
    heard = await raising.told(opinion)
    assert (heard.state, heard.project) == (pb.NOMINATION_STATE_ACCEPTED, chosen)


async def test_a_proposal_by_one_who_signed_it_alone(raising: Raising) -> None:
    term = await raising.term()
    mine, others = [await raising.proposal(await raising.active(term)) for _ in range(2)]
    assert await refused(raising.nominate(others.name, "delegate")) == "ERROR_REASON_MANDATE_NOT_YOURS"
    await raising.nominate(mine.name)
    (_, step) = await raising.proposal_steps(mine.name)
    assert (step.verb, step.subject) == ("nominate", "tester")
    assert [each.nominated for each in await raising.nominations(nominated=mine.name)] == [mine.name]
    assert await raising.nominations(nominated=others.name) == []


async def test_nominated_first_and_merged_later_all_askers_hear_of_it(raising: Raising) -> None:
    nominated, standing, other = [await raising.opinion(SAID) for _ in range(3)]
    await raising.nominate(nominated.name)
    await raising.merge_opinions(standing.name, nominated.name, other.name)
    for each in (nominated, standing, other):
        assert (await raising.told(each)).state == WAITING
    # It is one matter now, and has its nomination.
    assert await refused(raising.nominate(standing.name)) == "ERROR_REASON_NOMINATED_ALREADY"
    await raising.season.collecting(**OPEN)
    await raising.at(COLLECTED, 1)
    assert {(await raising.told(each)).state for each in (nominated, standing, other)} == {COLLECTED}
    # Apart again, it goes with the one that was nominated.
    await raising.unmerge(nominated.name)
    assert (await raising.told(nominated)).state == COLLECTED
    assert [(await raising.told(each)).title for each in (standing, other)] == ["", ""]
    await raising.nominate(standing.name)
    assert [each.origin for each in await raising.collected_of(2)] == [nominated.name, standing.name]


async def test_both_nominated_before_they_are_merged(raising: Raising) -> None:
    first, standing, third = [await raising.opinion(SAID) for _ in range(3)]
    await raising.nominate(first.name, title="加装电梯")
    await raising.nominate(standing.name, title="修缮楼道")
    await raising.merge_opinions(standing.name, first.name, third.name)
    told = [(await raising.told(each)).title for each in (first, standing, third)]
    assert told == ["加装电梯", "修缮楼道", "修缮楼道"]


async def test_rejected_with_a_reason_that_the_asker_hears(raising: Raising) -> None:
    opinion = await raising.opinion()
    await raising.nominate(opinion.name)
    await raising.season.collecting(**OPEN)
    ((_, entered),) = (await raising.at(COLLECTED, 1)).items()
    await raising.season.deal("Reject", entered.suggestion, reason="已列入其他计划")
    await raising.at(pb.NOMINATION_STATE_REJECTED, 1)
    assert (await raising.told(opinion)).reason == "已列入其他计划"


async def test_too_late_for_its_year(raising: Raising) -> None:
    await raising.nominate((await raising.opinion()).name, year=YEAR - 1)
    (told,) = (await raising.at(pb.NOMINATION_STATE_REFUSED, 1)).values()
    assert told.reason == "CAMPAIGN_NOT_FOUND"


def words(enum: Any) -> set[str]:
    names = [value.name for value in enum.DESCRIPTOR.values]
    return {name.removeprefix(names[0].removesuffix("UNSPECIFIED")) for name in names}


def test_every_step_of_a_project_can_be_told() -> None:
    told = words(projects_pb2.ProjectState) | words(suggestions_pb2.SuggestionState)
    # What was merged stands where the one stands that it was merged into.
    assert told - words(pb.NominationState) == {"MERGED"}


async def test_killed_between_nominating_entering_and_telling(tmp_path: Path) -> None:
    async with platform("split", tmp_path / "site", durable=True) as site, tenant_of(site, "gateway") as tenant:
        raising = Raising(tenant)
        campaign = await raising.season.collecting(**OPEN)
        opinions = [(await raising.opinion()).name for _ in range(8)]
        first = opinions.pop()
        # Nobody is there to hear it, and who told it is gone before it is heard.
        await site.kill("ballots")
        await raising.nominate(first)
        await site.kill("feedback")
        await asyncio.gather(site.start("ballots"), site.start("feedback"))
        await insist(lambda: raising.at(COLLECTED, 1))

        async def both() -> None:
            await asyncio.gather(*(site.kill_and_start(name) for name in ("feedback", "ballots")))

        async def bus() -> None:
            site.nats.kill()
            await site.nats.start()

        for harm in (partial(site.kill_and_start, "feedback"), partial(site.kill_and_start, "ballots"), both, bus):
            named = [raising.nomination(opinions.pop()) for _ in range(2 if len(opinions) > 4 else 1)]
            requests = [pb.CreateNominationRequest(nomination=each, request_id=str(uuid4())) for each in named]
            await during([insist(partial(raising.hear, "CreateNomination", each)) for each in requests], harm)
        await insist(raising.nominations)
        nominated = await raising.at(COLLECTED, 8 - len(opinions))
        entered = {each.origin: each.name for each in await raising.collected()}
        # Each once, and each told of its own.
        assert len(await raising.collected()) == len(entered) == len(nominated)
        assert {name: each.suggestion for name, each in nominated.items()} == entered
        await raising.elapse_campaign(campaign)
        await raising.season.run("CloseCollection", campaign)
        project = (await raising.season.candidate(entered[first])).name
        await raising.season.candidate(entered[next(name for name in entered if name != first)])
        await raising.season.run("FixCandidates", campaign)
        await raising.season.voted([project], [])
        await both()
        await insist(lambda: raising.at(ADOPTED, 1))
