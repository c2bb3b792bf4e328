"""A repeated request has the effect of one (AIP-155): every mutation of polls that has a request_id."""

from typing import Any
from uuid import uuid4

from google.protobuf.field_mask_pb2 import FieldMask

from quanyutong.ballots.v1 import polls_pb2 as pb
from quanyutong.ballots.v1 import questions_pb2, results_pb2
from services.__main__ import TARGETS
from tests.ballots.polling import ELECTRONIC, PAPER, SCRUTINEERS, Polling, projects
from tests.ballots.test_scrutiny import count_of, on_paper

ONE, TWO = SCRUTINEERS
OF_POLLS = {f"quanyutong/ballots/v1/{part}.proto" for part in ("polls", "voting", "results")}


async def test_every_mutation_is_answered_again_with_the_first_answer(polling: Polling) -> None:
    """In their order each one finds what it needs; repeated after all of them, none would."""
    vote = await polling.opened(2, projects(2, 1, tie_at_last_place=questions_pb2.TIE_PRESIDIUM))
    await polling.papers(vote)
    await polling.do_poll("StartVoting", vote.poll)
    for voter, choice in zip(vote.voters, ("p01", "p02"), strict=True):
        await polling.cast(vote, voter, {"projects": [choice]})
    draft = pb.Poll(title="票决", meeting=vote.meeting, questions=[projects()], method=ELECTRONIC)
    opening, starting, voiding, changing = [(await polling.draft(vote.meeting)).name for _ in range(4)]
    await polling.do_poll("Open", starting)
    changed = pb.Poll(name=changing, title="改", meeting=vote.meeting, questions=[projects()], method=PAPER, etag='"1"')
    seen = [results_pb2.CountSeen(question="projects", valid=2)]
    certify: dict[str, Any] = {"name": vote.poll, "papers": 2, "ballots": 2, "counts": seen}
    decided: dict[str, Any] = {"question": "projects", "options": ["p01"], "decision": "主席团决定"}
    steps: list[tuple[str, Any, str]] = [
        ("CreatePoll", pb.CreatePollRequest(poll=draft), ""),
        ("UpdatePoll", pb.UpdatePollRequest(poll=changed, update_mask=FieldMask(paths=["title"])), ""),
        ("OpenPoll", pb.OpenPollRequest(name=opening), ""),
        ("StartVoting", pb.StartVotingRequest(name=starting), ""),
        ("VoidPoll", pb.VoidPollRequest(name=voiding, reason="设备故障"), ""),
        ("ClosePoll", pb.ClosePollRequest(name=vote.poll), ""),
        ("CertifyPoll", results_pb2.CertifyPollRequest(**certify), ONE),
        ("CertifyPoll", results_pb2.CertifyPollRequest(**certify), TWO),
        ("ResolveTie", results_pb2.ResolveTieRequest(name=vote.poll, **decided), ""),
        ("AnnouncePoll", results_pb2.AnnouncePollRequest(name=vote.poll), ""),
    ]
    await repeat(polling, steps)


async def test_a_count_on_paper_and_a_run_off(polling: Polling) -> None:
    poll = await on_paper(polling, projects(2, 1, tie_at_last_place=questions_pb2.TIE_RUN_OFF))
    count = count_of(poll, p01=1, p02=1)
    await repeat(polling, [("EnterPaperCount", count_of(poll, p01=1, p02=1), ONE)])
    await polling.as_person("EnterPaperCount", count, TWO, "scrutineer")
    await polling.certified(poll)
    await polling.announce(poll)
    await repeat(polling, [("CreateRunOff", results_pb2.CreateRunOffRequest(parent=poll, title="再次投票"), "")])


async def repeat(polling: Polling, steps: list[tuple[str, Any, str]]) -> None:
    """Each by its caller, a scrutineer where there is a name; then all of them once more."""
    first = []
    for rpc, request, person in steps:
        request.request_id = str(uuid4())
        first.append(await called(polling, rpc, request, person))
    assert [await called(polling, *step) for step in steps] == first


async def called(polling: Polling, rpc: str, request: Any, person: str) -> Any:
    if person:
        return await polling.as_person(rpc, request, person, "scrutineer")
    return await polling.vote(rpc, request)


def test_nothing_is_left_out() -> None:
    """Those that are tried here, and the two of the vote itself, which keep no id. Projects are tried elsewhere."""
    tried = {"CreatePoll", "UpdatePoll", "OpenPoll", "StartVoting", "VoidPoll", "ClosePoll", "CertifyPoll"}
    tried |= {"ResolveTie", "AnnouncePoll", "EnterPaperCount", "CreateRunOff"}
    service = TARGETS["ballots"].service
    of_polls = [method for method in service.methods if method.input_type.file.name in OF_POLLS]
    assert {method.name for method in of_polls if "request_id" in method.input_type.fields_by_name} == tried
