"""Drafts, opening, the electorate, delegations, times, and what refuses a step."""

from datetime import UTC, datetime, timedelta

from google.protobuf.field_mask_pb2 import FieldMask

from chassis.wire import timestamp
from quanyutong.ballots.v1 import polls_pb2 as pb
from quanyutong.ballots.v1 import questions_pb2, voting_pb2
from quanyutong_client import verify
from tests.ballots.polling import ELECTRONIC, PAPER, Polling, Vote, grades, outcomes, projects
from tests.contract.office import NOBODY
from tests.harness import refused, until

DRAFTED, VOTING, CLOSED = pb.POLL_STATE_DRAFTED, pb.POLL_STATE_VOTING, pb.POLL_STATE_CLOSED


def soon(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


async def why(call: object) -> str:
    return (await refused(call)).removeprefix("ERROR_REASON_")  # type: ignore[arg-type]


async def test_a_draft_is_changed_and_found(polling: Polling) -> None:
    meeting, _, _ = await polling.convened(2)
    poll = await polling.draft(meeting, projects(4, 2))
    assert (poll.state, poll.questions[0].select.majority) == (DRAFTED, ">1/2")
    again = pb.Poll(name=poll.name, title="改题", meeting=meeting, questions=[grades()], method=PAPER, etag=poll.etag)
    mask = FieldMask(paths=["title", "questions", "method"])
    changed = await polling.vote("UpdatePoll", pb.UpdatePollRequest(poll=again, update_mask=mask))
    assert (changed.title, changed.questions[0].id, changed.method) == ("改题", "offices", PAPER)
    assert await polling.refused("UpdatePoll", pb.UpdatePollRequest(poll=again, update_mask=mask)) == "ETAG_MISMATCH"
    other = await polling.draft(meeting)
    for filters in ({"meeting": meeting}, {"body": poll.body}, {"state": DRAFTED}):
        first = await polling.vote("ListPolls", pb.ListPollsRequest(page_size=1, **filters))
        rest = await polling.vote(
            "ListPolls", pb.ListPollsRequest(page_size=1, page_token=first.next_page_token, **filters)
        )
        assert [first.polls[0].name, rest.polls[0].name, rest.next_page_token] == [poll.name, other.name, ""]
    assert not (await polling.vote("ListPolls", pb.ListPollsRequest(state=VOTING))).polls


async def test_a_quorum_or_a_reason(polling: Polling) -> None:
    vote = await polling.opened(4, present=3)
    poll = await polling.draft(vote.meeting)
    await polling.do("Adjourn", vote.meeting)
    await polling.until_over(vote.meeting)
    assert await why(polling.do_poll("Open", poll.name)) == "SESSION_OVER"
    opened = await polling.do_poll("Open", poll.name, reason="会议决定补行表决")
    assert (opened.open_reason, opened.boxes[0].electorate) == ("会议决定补行表决", 4)


async def test_who_may_take_a_paper(polling: Polling) -> None:
    vote = await polling.opened(4, present=3)
    request = voting_pb2.GetEntitlementRequest(name=vote.poll)
    seen = [(await polling.as_person("GetEntitlement", request, person)).present for person in vote.persons]
    assert sorted(seen) == [False, True, True, True]
    absent = vote.persons[seen.index(False)]
    take = voting_pb2.TakePaperRequest(name=vote.poll, blinded_message=bytes(256))
    assert await why(polling.as_person("TakePaper", take, absent)) == "NOT_PRESENT"
    assert await why(polling.as_person("TakePaper", take, f"persons/{NOBODY}")) == "NOT_ENTITLED"
    assert await why(polling.as_person("TakePaper", take, "tester")) == "NOT_IN_PERSON"
    large = voting_pb2.TakePaperRequest(name=vote.poll, blinded_message=b"\xff" * 256)
    there = vote.persons[seen.index(True)]
    assert await why(polling.as_person("TakePaper", large, there)) == "BLINDED_MESSAGE_REFUSED"
    await polling.do_poll("StartVoting", vote.poll)
    assert await why(polling.as_person("TakePaper", take, there)) == "POLL_STATE_REFUSED"


async def test_a_merged_person_has_one_paper(polling: Polling) -> None:
    vote = await polling.opened(3)
    voter = await polling.voter(vote, 0)
    twin = await polling.person("李新")
    await polling.merge(twin, vote.persons[0])
    request = voting_pb2.GetEntitlementRequest(name=vote.poll)

    async def known() -> bool:
        return not await _refusal(polling, request, twin)

    await until(known)
    blinded = voting_pb2.TakePaperRequest(name=vote.poll, blinded_message=bytes(256))
    assert await why(polling.as_person("TakePaper", blinded, twin)) == "PAPER_TAKEN"
    assert voter.has_paper


async def _refusal(polling: Polling, request: voting_pb2.GetEntitlementRequest, person: str) -> bool:
    try:
        await polling.as_person("GetEntitlement", request, person)
    except Exception:  # not known yet, whatever the reason
        return True
    return False


async def test_delegations_vote_apart_and_are_summed(polling: Polling) -> None:
    meeting, mandates, persons = await polling.convened(4)
    groups = [
        pb.Delegation(display_name="第一代表团", mandates=mandates[:2]),
        pb.Delegation(display_name="第二代表团", mandates=mandates[2:]),
    ]
    short = await polling.draft(meeting, delegations=groups[:1])
    await until(lambda: _heard(polling, short.name))
    assert await why(polling.vote("OpenPoll", pb.OpenPollRequest(name=short.name))) == "DELEGATES_WITHOUT_DELEGATION"
    twice = [groups[0], pb.Delegation(display_name="第二代表团", mandates=mandates[1:])]
    given = pb.Poll(title="票决", meeting=meeting, questions=[projects()], method=ELECTRONIC, delegations=twice)
    assert await polling.refused("CreatePoll", pb.CreatePollRequest(poll=given)) == "DELEGATIONS_REFUSED"
    poll = await polling.draft(meeting, projects(majority_base=questions_pb2.BASE_ALL_MEMBERS), delegations=groups)
    opened = await polling.open(poll.name, present=4)
    assert [box.electorate for box in opened.boxes] == [2, 2]
    vote = Vote(poll.name, meeting, mandates, persons)
    await polling.voted(vote, [{"projects": ["p01"]}, {"projects": ["p01", "p02"]}, {"projects": ["p01"]}])
    await polling.certified(poll.name)
    result = await polling.announce(poll.name)
    assert (result.electorate, result.papers, result.ballots) == (4, 4, 3)
    assert outcomes(result) == {"p01": "adopted", "p02": "not_adopted", "p03": "not_adopted"}
    boards = [verify(await polling.board(poll.name, number)) for number in (1, 2)]
    assert all(report.is_sound and report.board for report in boards)
    assert [len(report.board.ballots) for report in boards if report.board] == [2, 1]


async def _heard(polling: Polling, poll: str) -> bool:
    return await why(polling.vote("OpenPoll", pb.OpenPollRequest(name=poll))) not in (
        "MEETING_NOT_CONVENED",
        "QUORUM_MISSING",
    )


async def test_a_poll_keeps_its_times_by_itself(polling: Polling) -> None:
    meeting, _, _ = await polling.convened(2)
    times = {"open_time": soon(-3), "voting_time": soon(-2), "close_time": soon(-1)}
    poll = await polling.draft(meeting, **{name: timestamp(at) for name, at in times.items()})

    async def closed() -> bool:
        found = await polling.vote("GetPoll", pb.GetPollRequest(name=poll.name))
        return bool(found.state == CLOSED)

    await until(closed)
    wrong = pb.Poll(title="票决", meeting=meeting, questions=[projects()], method=ELECTRONIC)
    wrong.open_time.CopyFrom(timestamp(soon(10)))
    wrong.close_time.CopyFrom(timestamp(soon(5)))
    assert await polling.refused("CreatePoll", pb.CreatePollRequest(poll=wrong)) == "TIMES_REFUSED"


async def test_why_a_time_could_not_be_kept(polling: Polling) -> None:
    body = await polling.assembly_of(2)
    meeting = (await polling.meeting(body)).name
    poll = await polling.draft(meeting, open_time=timestamp(soon(-1)))

    async def told() -> str:
        found = await polling.vote("GetPoll", pb.GetPollRequest(name=poll.name))
        return str(found.overdue_reason)

    assert await until(told) == "MEETING_NOT_CONVENED"


async def test_a_void_poll_keeps_nothing(polling: Polling) -> None:
    vote = await polling.opened(2)
    await polling.papers(vote)
    await polling.do_poll("StartVoting", vote.poll)
    await polling.cast(vote, vote.voters[0], {"projects": ["p01"]})
    void = await polling.do_poll("Void", vote.poll, reason="设备故障")
    assert (void.state, void.void_reason) == (pb.POLL_STATE_VOID, "设备故障")
    turnout = await polling.turnout(vote.poll)
    assert (turnout.papers, turnout.ballots) == (0, 0)
    assert await why(polling.do_poll("Close", vote.poll)) == "POLL_STATE_REFUSED"
    assert await why(polling.cast(vote, vote.voters[1], {})) == "POLL_STATE_REFUSED"
