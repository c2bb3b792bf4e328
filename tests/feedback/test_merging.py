"""Like opinions are found, and handled as one by a person's decision; each asker keeps the own receipt and say."""

import asyncio
from typing import Any

import grpc
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quanyutong.feedback.v1 import intakes_pb2 as intakes
from quanyutong.feedback.v1 import merging_pb2 as merging
from quanyutong.feedback.v1 import opinions_pb2 as pb
from tests.feedback.hearing import UNDERTAKERS, Hearing
from tests.harness import reason, refused

LAMP, SAME = "滨江路的路灯坏了好几天，晚上黑漆漆的不敢走", "滨江路路灯不亮已经一个星期，夜里出行不安全"
OTHER = "希望给山窝村卫生室配一名村医"
SATISFIED, DISSATISFIED = pb.JUDGEMENT_SATISFIED, pb.JUDGEMENT_DISSATISFIED
MERGED = "ERROR_REASON_OPINION_MERGED"


async def alike(hearing: Hearing, name: str, **fields: Any) -> list[str]:
    found = await hearing.hear("ListLikeOpinions", merging.ListLikeOpinionsRequest(parent=name, **fields))
    scores = [each.score for each in found.like_opinions]
    assert scores == sorted(scores, reverse=True)
    return [each.opinion.name for each in found.like_opinions]


async def unmerge(hearing: Hearing, name: str) -> pb.Opinion:
    alone: pb.Opinion = await hearing.hear("UnmergeOpinion", merging.UnmergeOpinionRequest(name=name))
    return alone


async def status(hearing: Hearing, opinion: pb.Opinion) -> intakes.OpinionStatus:
    asked = intakes.GetStatusRequest(district=hearing.district, code=opinion.receipt)
    told: intakes.OpinionStatus = await hearing.anonymously("GetStatus", asked)
    return told


async def judge(hearing: Hearing, opinion: pb.Opinion, judgement: Any, why: str = "") -> intakes.OpinionStatus:
    request = intakes.JudgeAnswerRequest(
        district=hearing.district, code=opinion.receipt, judgement=judgement, reason=why
    )
    told: intakes.OpinionStatus = await hearing.anonymously("JudgeAnswer", request)
    return told


async def test_like_ones_are_suggested(hearing: Hearing) -> None:
    lamp, same, other = [(await hearing.opinion(text)).name for text in (LAMP, SAME, OTHER)]
    assert await alike(hearing, lamp) == [same]
    assert await alike(hearing, other) == []
    twin = (await hearing.opinion(LAMP)).name
    assert await alike(hearing, lamp) == [twin, same]
    assert await alike(hearing, lamp, page_size=1) == [twin]
    await hearing.handle("Dismiss", twin, reason="重复")
    assert await alike(hearing, lamp) == [same]
    assert await alike(hearing, lamp, show_ended=True) == [twin, same]


async def test_handled_as_one_and_followed_by_each(hearing: Hearing) -> None:
    lamp, same, third = [await hearing.opinion(text) for text in (LAMP, SAME, LAMP)]
    standing = await hearing.merge_opinions(lamp.name, same.name, third.name)
    assert (standing.support, standing.state) == (3, pb.OPINION_STATE_RECEIVED)
    gone = await hearing.shown(same.name)
    assert (gone.state, gone.merged_into, gone.support) == (pb.OPINION_STATE_MERGED, lamp.name, 0)
    assert await hearing.listed(merged_into=lamp.name) == [same.name, third.name]
    assert await alike(hearing, lamp.name) == []
    assert await hearing.steps(same.name) == ["receive", "merge"]
    await hearing.handle("Acknowledge", lamp.name)
    await hearing.handle("Route", lamp.name, undertakers=UNDERTAKERS)
    await hearing.handle("Answer", lamp.name, content="已修好")
    for each in (lamp, same, third):
        seen = await status(hearing, each)
        assert (seen.state, seen.answers[0].content) == (pb.OPINION_STATE_ANSWERED, "已修好")
    # One asker who is satisfied does not speak for the others.
    assert (await judge(hearing, same, SATISFIED)).state == pb.OPINION_STATE_ANSWERED
    assert await refused(judge(hearing, same, SATISFIED)) == "ERROR_REASON_ANSWER_JUDGED"
    assert (await status(hearing, lamp)).answers[0].judgement == pb.JUDGEMENT_UNSPECIFIED
    again = await judge(hearing, third, DISSATISFIED, "三号灯还不亮")
    assert (again.state, again.answers[0].judgement, again.reason) == (pb.OPINION_STATE_REOPENED, DISSATISFIED, "")
    # Nobody sees what the others said.
    seen = await status(hearing, lamp)
    assert "三号灯" not in str(seen)
    assert not seen.answers[0].judgements
    shown = await hearing.shown(lamp.name)
    assert (shown.reopenings, [each.reason for each in shown.answers[0].judgements]) == (1, ["", "三号灯还不亮"])
    await hearing.handle("Answer", lamp.name, content="三号灯已换")
    for each in (lamp, same):
        await judge(hearing, each, SATISFIED)
    assert (await judge(hearing, third, SATISFIED)).state == pb.OPINION_STATE_CLOSED


async def test_what_was_merged_is_handled_as_the_other_alone_and_stands_again_when_undone(hearing: Hearing) -> None:
    lamp, same = (await hearing.opinion(LAMP)).name, await hearing.routed(content=SAME)
    before = await hearing.shown(same)
    await hearing.merge_opinions(lamp, same)
    assert await refused(hearing.handle("Answer", same, content="答")) == MERGED
    assert not (await hearing.shown(same)).HasField("due_date")
    alone = await unmerge(hearing, same)
    assert (alone.state, alone.due_date, alone.support) == (before.state, before.due_date, 1)
    assert (await hearing.shown(lamp)).support == 1
    assert await refused(unmerge(hearing, same)) == "ERROR_REASON_OPINION_NOT_MERGED"
    assert await hearing.steps(same) == ["receive", "acknowledge", "route", "merge", "unmerge"]
    assert await hearing.steps(lamp) == ["receive", "gather", "release"]
    await hearing.handle("Answer", same, content="答")
    assert await refused(hearing.merge_opinions(lamp, same)) == "ERROR_REASON_OPINION_STATE_REFUSED"


async def test_what_stands_for_others_takes_them_along(hearing: Hearing) -> None:
    first, second, third = [(await hearing.opinion(LAMP)).name for _ in range(3)]
    await hearing.merge_opinions(second, third)
    assert (await hearing.merge_opinions(first, second)).support == 3
    assert (await hearing.shown(third)).merged_into == first
    await unmerge(hearing, second)
    assert [(await hearing.shown(name)).support for name in (first, second, third)] == [2, 1, 0]


async def test_of_two_that_take_each_other_at_once_one_does(hearing: Hearing) -> None:
    for _ in range(5):
        one, other = [(await hearing.opinion(LAMP)).name for _ in range(2)]
        told = await asyncio.gather(
            hearing.merge_opinions(one, other), hearing.merge_opinions(other, one), return_exceptions=True
        )
        failed = [each for each in told if isinstance(each, grpc.aio.AioRpcError)]
        assert [reason(each) for each in failed] == ["ERROR_REASON_OPINION_STATE_REFUSED"]
        assert sorted([(await hearing.shown(name)).support for name in (one, other)]) == [0, 2]


@settings(max_examples=12, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(acts=st.lists(st.tuples(st.booleans(), st.integers(0, 3), st.integers(0, 3)), min_size=4, max_size=10))
async def test_every_opinion_is_supported_once_whatever_is_merged_and_undone(hearing: Hearing, acts: Any) -> None:
    names = [(await hearing.opinion(LAMP)).name for _ in range(4)]
    into: dict[str, str] = {}
    for merges, one, other in acts:
        first, second = names[one], names[other]
        fits = first != second and first not in into and second not in into if merges else first in into
        call = hearing.merge_opinions(first, second) if merges else unmerge(hearing, first)
        if not fits:
            assert (await refused(call)).startswith("ERROR_REASON_")
            continue
        await call
        into = {of: first if merges and by == second else by for of, by in into.items() if merges or of != first}
        if merges:
            into[second] = first
    shown = [await hearing.shown(name) for name in names]
    assert {each.name: each.merged_into for each in shown if each.merged_into} == into
    supported = {name: 1 + list(into.values()).count(name) for name in names if name not in into}
    assert {each.name: each.support for each in shown if each.support} == supported
    assert sum(supported.values()) == len(names)
