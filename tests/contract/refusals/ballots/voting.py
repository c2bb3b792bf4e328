"""Papers, ballots, counts, and what follows from them."""

from quanyutong.ballots.v1 import results_pb2, voting_pb2
from quanyutong_client import Voter
from tests.ballots.polling import PAPER, SCRUTINEERS, Polling, Vote, polling_of, projects
from tests.contract.office import NOBODY, Office
from tests.contract.refusals import refused_with

ONE, TWO = SCRUTINEERS
RUN_OFF, PRESIDIUM = 2, 3


async def taking(polling: Polling, vote: Vote, person: str, blinded: bytes = bytes(256)) -> None:
    request = voting_pb2.TakePaperRequest(name=vote.poll, blinded_message=blinded)
    await polling.as_person("TakePaper", request, person)


async def casting(polling: Polling, vote: Vote, ballot: bytes, subject: str = "box") -> None:
    request = voting_pb2.CastBallotRequest(name=f"{vote.poll}/boxes/1", ballot=ballot)
    await polling.as_person("CastBallot", request, subject, "ballot_box")


async def tied(polling: Polling, tie: int) -> Vote:
    vote = await polling.opened(2, projects(2, 1, tie_at_last_place=tie))
    await polling.voted(vote, [{"projects": ["p01"]}, {"projects": ["p02"]}])
    await polling.certified(vote.poll)
    return vote


@refused_with("NOT_ENTITLED")
async def a_paper_for_somebody_else(office: Office) -> None:
    polling = polling_of(office)
    await taking(polling, await polling.opened(1), f"persons/{NOBODY}")


@refused_with("NOT_PRESENT")
async def a_paper_for_who_is_not_there(office: Office) -> None:
    polling = polling_of(office)
    vote = await polling.opened(3, present=2)
    await taking(polling, vote, await polling.absent(vote))


@refused_with("PAPER_TAKEN")
async def a_second_paper(office: Office) -> None:
    polling = polling_of(office)
    vote = await polling.opened(1)
    await polling.papers(vote)
    await taking(polling, vote, vote.persons[0])


@refused_with("BLINDED_MESSAGE_REFUSED")
async def a_message_beyond_the_key(office: Office) -> None:
    polling = polling_of(office)
    vote = await polling.opened(1)
    await taking(polling, vote, vote.persons[0], b"\xff" * 256)


@refused_with("BOX_IS_A_PERSON")
async def a_box_that_is_somebody(office: Office) -> None:
    polling = polling_of(office)
    vote = Vote(f"polls/{NOBODY}", "", [], [])
    await casting(polling, vote, b"0", f"persons/{NOBODY}")


@refused_with("BALLOT_REFUSED")
async def no_ballot(office: Office) -> None:
    polling = polling_of(office)
    vote = await polling.opened(1)
    await polling.do_poll("StartVoting", vote.poll)
    await casting(polling, vote, b"0")


@refused_with("BALLOT_DIFFERS")
async def another_ballot_for_a_paper(office: Office) -> None:
    polling = polling_of(office)
    vote = await polling.opened(1)
    await polling.papers(vote)
    folder, copy = polling.folder_of(vote, 0), polling.folder_of(vote, 1)
    copy.mkdir()
    for name in ("secret.json", "paper.json"):
        (copy / name).write_bytes((folder / name).read_bytes())
    await polling.do_poll("StartVoting", vote.poll)
    await polling.cast(vote, vote.voters[0], {"projects": ["p01"]})
    await polling.cast(vote, Voter.resume(copy), {"projects": ["p02"]})


@refused_with("RESULT_NOT_PUBLIC")
async def the_result_of_a_vote_under_way(office: Office) -> None:
    polling = polling_of(office)
    await polling.result((await polling.opened(1)).poll)


@refused_with("SAME_SCRUTINEER")
async def certifying_twice(office: Office) -> None:
    polling = polling_of(office)
    vote = await polling.opened(1)
    await polling.voted(vote, [])
    await polling.certify(vote.poll, ONE)
    await polling.certify(vote.poll, ONE)


@refused_with("SCRUTINEER_IS_MOVER")
async def certifying_ones_own_candidate(office: Office) -> None:
    polling = polling_of(office)
    question = projects()
    question.options[0].mover = ONE
    vote = await polling.opened(1, question)
    await polling.voted(vote, [])
    await polling.certify(vote.poll, ONE)


@refused_with("COUNT_NOT_CONFIRMED")
async def having_seen_another_count(office: Office) -> None:
    polling = polling_of(office)
    vote = await polling.opened(1)
    await polling.voted(vote, [])
    await polling.certify(vote.poll, ONE, ballots=1)


async def counting(office: Office, entries: dict[str, int], chosen: int = 1) -> None:
    """A paper poll; each scrutineer enters so many invalid ballots."""
    polling = polling_of(office)
    vote = await polling.opened(1, method=PAPER)
    await polling.do_poll("StartVoting", vote.poll)
    await polling.do_poll("Close", vote.poll)
    for person, invalid in entries.items():
        marks = [results_pb2.MarkCount(mark=1, ballots=chosen)]
        options = [results_pb2.OptionCount(option="p01", marks=marks)]
        question = results_pb2.QuestionCount(question="projects", invalid=invalid, options=options)
        request = results_pb2.EnterPaperCountRequest(
            name=f"{vote.poll}/boxes/1", issued=2, returned=invalid + 1, questions=[question]
        )
        await polling.as_person("EnterPaperCount", request, person, "scrutineer")
    if not entries:
        certify = results_pb2.CertifyPollRequest(name=vote.poll, counts=[results_pb2.CountSeen(question="projects")])
        await polling.as_person("CertifyPoll", certify, ONE, "scrutineer")


@refused_with("COUNT_MISSING")
async def certifying_what_nobody_counted(office: Office) -> None:
    await counting(office, {})


@refused_with("COUNT_REFUSED")
async def more_marks_than_ballots(office: Office) -> None:
    await counting(office, {ONE: 0}, chosen=5)


@refused_with("COUNTS_DIFFER")
async def counting_otherwise(office: Office) -> None:
    await counting(office, {ONE: 0, TWO: 1})


@refused_with("TIE_REFUSED")
async def deciding_what_a_run_off_decides(office: Office) -> None:
    polling = polling_of(office)
    vote = await tied(polling, RUN_OFF)
    request = results_pb2.ResolveTieRequest(name=vote.poll, question="projects", options=["p01"], decision="决定")
    await polling.vote("ResolveTie", request)


@refused_with("TIE_OPEN")
async def announcing_before_the_presidium_decides(office: Office) -> None:
    polling = polling_of(office)
    await polling.announce((await tied(polling, PRESIDIUM)).poll)


@refused_with("RUN_OFF_EXISTS")
async def a_second_run_off(office: Office) -> None:
    polling = polling_of(office)
    vote = await tied(polling, RUN_OFF)
    await polling.announce(vote.poll)
    for _ in range(2):
        await polling.vote("CreateRunOff", results_pb2.CreateRunOffRequest(parent=vote.poll, title="再次投票"))
