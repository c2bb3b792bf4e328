"""Four eyes, paper polls, ties and run-offs: what stands between a count and its announcement."""

from typing import Any

from quanyutong.ballots.v1 import polls_pb2, questions_pb2
from quanyutong.ballots.v1 import results_pb2 as pb
from tests.ballots.polling import PAPER, SCRUTINEERS, Polling, Vote, outcomes, projects
from tests.contract.acts import PAPER as PAPER_TAKEN
from tests.contract.acts import kinds, performance
from tests.harness import refused, until

ONE, TWO = SCRUTINEERS
RUN_OFF, PRESIDIUM = questions_pb2.TIE_RUN_OFF, questions_pb2.TIE_PRESIDIUM


async def why(call: Any) -> str:
    return (await refused(call)).removeprefix("ERROR_REASON_")


async def tied(polling: Polling, tie: Any) -> Vote:
    """One place, two candidates with a vote each; certified."""
    vote = await polling.opened(2, projects(2, 1, tie_at_last_place=tie))
    await polling.voted(vote, [{"projects": ["p01"]}, {"projects": ["p02"]}])
    await polling.certified(vote.poll)
    return vote


async def test_four_eyes(polling: Polling) -> None:
    moved = projects()
    moved.options[0].mover = TWO
    vote = await polling.opened(2, moved)
    await polling.voted(vote, [{"projects": ["p01"]}])
    assert await why(polling.certify(vote.poll, "tester")) == "NOT_IN_PERSON"
    assert await why(polling.certify(vote.poll, ONE, ballots=2)) == "COUNT_NOT_CONFIRMED"
    wrong = [pb.CountSeen(question="projects", valid=1, blank=1)]
    assert await why(polling.certify(vote.poll, ONE, counts=wrong)) == "COUNT_NOT_CONFIRMED"
    first = await polling.certify(vote.poll, ONE)
    assert first.state == polls_pb2.POLL_STATE_CLOSED
    assert await why(polling.certify(vote.poll, ONE)) == "SAME_SCRUTINEER"
    assert await why(polling.certify(vote.poll, TWO)) == "SCRUTINEER_IS_MOVER"
    assert await why(polling.announce(vote.poll)) == "POLL_STATE_REFUSED"
    third = await polling.certify(vote.poll, SCRUTINEERS[0][:-1] + "3")
    assert third.state == polls_pb2.POLL_STATE_CERTIFIED


async def test_who_sees_a_result_when(polling: Polling) -> None:
    vote = await polling.opened(2)
    await polling.papers(vote)
    await polling.do_poll("StartVoting", vote.poll)
    for role in ("clerk", "scrutineer", "viewer"):
        assert await why(polling.result(vote.poll, role)) == "RESULT_NOT_PUBLIC"
    await polling.do_poll("Close", vote.poll)
    assert (await polling.result(vote.poll)).ballots == 0
    assert await why(polling.result(vote.poll, "clerk")) == "RESULT_NOT_PUBLIC"
    await polling.certified(vote.poll)
    assert (await polling.result(vote.poll, "clerk")).papers == 2
    for call in (polling.result(vote.poll, "viewer"), polling.board(vote.poll)):
        assert await why(call) == "RESULT_NOT_PUBLIC"
    await polling.announce(vote.poll)
    assert (await polling.result(vote.poll, "viewer")).electorate == 2


async def test_the_presidium_decides(polling: Polling) -> None:
    vote = await tied(polling, PRESIDIUM)
    assert await why(polling.announce(vote.poll)) == "TIE_OPEN"
    for options in (["p01", "p02"], ["p09"]):
        request = pb.ResolveTieRequest(name=vote.poll, question="projects", options=options, decision="决定")
        assert await polling.refused("ResolveTie", request) == "TIE_REFUSED"
    request = pb.ResolveTieRequest(name=vote.poll, question="projects", options=["p02"], decision="主席团决定")
    await polling.vote("ResolveTie", request)
    result = await polling.announce(vote.poll)
    assert outcomes(result) == {"p01": "not_adopted", "p02": "adopted"}
    assert (result.questions[0].tie_decision.decision, result.questions[0].places_left) == ("主席团决定", 0)


async def test_a_run_off(polling: Polling) -> None:
    vote = await tied(polling, RUN_OFF)
    result = await polling.announce(vote.poll)
    assert outcomes(result) == {"p01": "tied", "p02": "tied"}
    request = pb.CreateRunOffRequest(parent=vote.poll, title="再次投票")
    again = await polling.vote("CreateRunOff", request)
    assert again.run_off_of == vote.poll
    assert [option.id for option in again.questions[0].options] == ["p01", "p02"]
    assert await polling.refused("CreateRunOff", request) == "RUN_OFF_EXISTS"
    await polling.open(again.name, present=2)
    second = Vote(again.name, vote.meeting, vote.mandates, vote.persons)
    await polling.voted(second, [{"projects": ["p02"]}, {"projects": ["p02"]}])
    await polling.certified(again.name)
    assert outcomes(await polling.announce(again.name)) == {"p01": "not_adopted", "p02": "adopted"}
    no_tie = pb.CreateRunOffRequest(parent=again.name, title="再次投票")
    assert await polling.refused("CreateRunOff", no_tie) == "TIE_REFUSED"


async def test_papers_stand_in_the_performance_record(polling: Polling) -> None:
    vote = await polling.opened(2)
    await polling.papers(vote, 1)
    await polling.do_poll("StartVoting", vote.poll)

    async def counted() -> bool:
        return kinds(await performance(polling, vote.mandates[0])).get(PAPER_TAKEN) == 1

    await until(counted)
    assert PAPER_TAKEN not in kinds(await performance(polling, vote.mandates[1]))


# --- on paper


def count_of(poll: str, issued: int = 3, returned: int = 3, **marks: int) -> pb.EnterPaperCountRequest:
    """One invalid ballot, and so many votes for each candidate."""
    options = [
        pb.OptionCount(option=name, marks=[pb.MarkCount(mark=1, ballots=ballots)]) for name, ballots in marks.items()
    ]
    question = pb.QuestionCount(question="projects", invalid=1, options=options)
    return pb.EnterPaperCountRequest(name=f"{poll}/boxes/1", issued=issued, returned=returned, questions=[question])


async def enter(polling: Polling, request: pb.EnterPaperCountRequest, person: str) -> int:
    return int((await polling.as_person("EnterPaperCount", request, person, "scrutineer")).entries)


async def on_paper(polling: Polling, *questions: questions_pb2.Question) -> str:
    vote = await polling.opened(3, *questions, method=PAPER)
    await polling.do_poll("StartVoting", vote.poll)
    await polling.do_poll("Close", vote.poll)
    return vote.poll


async def test_a_paper_poll_is_entered_twice(polling: Polling) -> None:
    poll = await on_paper(polling)
    certify = pb.CertifyPollRequest(name=poll, counts=[pb.CountSeen(question="projects", valid=2)])
    assert await why(polling.as_person("CertifyPoll", certify, ONE, "scrutineer")) == "COUNT_MISSING"
    for wrong in (count_of(poll, p01=3), count_of(poll, p09=1), count_of(poll, p01=1)):
        assert await why(enter(polling, wrong, ONE)) == "COUNT_REFUSED"
    assert await enter(polling, count_of(poll, p01=1, p02=1), ONE) == 1
    assert await enter(polling, count_of(poll, p01=2, p02=1), ONE) == 1
    assert await why(enter(polling, count_of(poll, p01=1, p02=1), TWO)) == "COUNTS_DIFFER"
    assert await enter(polling, count_of(poll, p02=1, p01=2), TWO) == 2
    await polling.certified(poll)
    result = await polling.announce(poll)
    assert (result.papers, result.ballots, result.questions[0].invalid) == (3, 3, 1)
    assert outcomes(result) == {"p01": "adopted", "p02": "adopted", "p03": "not_adopted"}
    assert await why(polling.board(poll)) == "METHOD_REFUSED"


async def test_more_returned_than_issued(polling: Polling) -> None:
    poll = await on_paper(polling)
    for person in SCRUTINEERS:
        await enter(polling, count_of(poll, issued=2, p01=2), person)
    found = await polling.vote("GetPoll", polls_pb2.GetPollRequest(name=poll))
    assert (found.state, bool(found.void_reason)) == (polls_pb2.POLL_STATE_VOID, True)
    assert await why(polling.certify(poll, ONE, papers=2, ballots=3)) == "RESULT_NOT_PUBLIC"
