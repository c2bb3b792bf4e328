"""Drafting and holding polls."""

from datetime import timedelta

from chassis.wire import timestamp
from quanyutong.ballots.v1 import polls_pb2 as pb
from quanyutong.ballots.v1 import results_pb2, voting_pb2
from tests.ballots.polling import ELECTRONIC, Polling, grades, polling_of, projects
from tests.contract.office import NOBODY, Office
from tests.contract.refusals import refused_with
from tests.meetings.secretariat import in_hours

POLL = f"polls/{NOBODY}"
MEETING = f"meetings/{NOBODY}"


async def known(office: Office) -> tuple[Polling, str]:
    """A meeting in preparation of which the ballots service has heard."""
    polling = polling_of(office)
    meeting = (await polling.meeting(await polling.assembly_of(0))).name
    await polling.draft(meeting)
    return polling, meeting


async def drafting(office: Office, **fields: object) -> None:
    polling, meeting = await known(office)
    await polling.draft(meeting, **fields)


@refused_with("MEETING_NOT_FOUND")
async def a_poll_of_no_meeting(office: Office) -> None:
    poll = pb.Poll(title="票决", meeting=MEETING, questions=[projects()], method=ELECTRONIC)
    await office.vote("CreatePoll", pb.CreatePollRequest(poll=poll))


@refused_with("POLL_NOT_FOUND")
async def reading_a_poll_that_is_not_there(office: Office) -> None:
    await office.vote("GetPoll", pb.GetPollRequest(name=POLL))


@refused_with("BOX_NOT_FOUND")
async def the_board_of_a_box_that_is_not_there(office: Office) -> None:
    polling, meeting = await known(office)
    poll = await polling.draft(meeting)
    await polling.board(poll.name, 7)


@refused_with("POLL_STATE_REFUSED")
async def closing_a_draft(office: Office) -> None:
    polling, meeting = await known(office)
    await polling.do_poll("Close", (await polling.draft(meeting)).name)


@refused_with("QUESTION_REFUSED")
async def an_id_twice(office: Office) -> None:
    polling, meeting = await known(office)
    await polling.draft(meeting, projects(), projects())


@refused_with("SURPLUS_MISSING")
async def as_many_candidates_as_places(office: Office) -> None:
    polling, meeting = await known(office)
    await polling.draft(meeting, projects(10, 10))


@refused_with("RULE_FIXED")
async def grades_of_those_present(office: Office) -> None:
    polling, meeting = await known(office)
    await polling.draft(meeting, grades(base=3))


@refused_with("DELEGATIONS_REFUSED")
async def one_delegate_in_two_delegations(office: Office) -> None:
    mandates = [f"mandates/{NOBODY}"]
    await drafting(office, delegations=[pb.Delegation(display_name=name, mandates=mandates) for name in "一二"])


@refused_with("TIMES_REFUSED")
async def closing_before_it_opens(office: Office) -> None:
    opens = in_hours(1)
    await drafting(office, open_time=timestamp(opens), close_time=timestamp(opens - timedelta(minutes=1)))


@refused_with("MEETING_NOT_CONVENED")
async def opening_before_the_meeting(office: Office) -> None:
    polling, meeting = await known(office)
    await polling.do_poll("Open", (await polling.draft(meeting)).name)


@refused_with("SESSION_OVER")
async def opening_after_the_session(office: Office) -> None:
    polling = polling_of(office)
    vote = await polling.opened(1)
    await polling.do("Adjourn", vote.meeting)
    await polling.until_over(vote.meeting)
    await polling.do_poll("Open", (await polling.draft(vote.meeting)).name)


@refused_with("QUORUM_MISSING")
async def opening_without_a_quorum(office: Office) -> None:
    polling = polling_of(office)
    vote = await polling.opened(1)
    await polling.lose_attendance(vote.meeting)
    await polling.do_poll("Open", (await polling.draft(vote.meeting)).name)


@refused_with("DELEGATES_WITHOUT_DELEGATION")
async def a_delegate_in_no_delegation(office: Office) -> None:
    polling = polling_of(office)
    vote = await polling.opened(1)
    groups = [pb.Delegation(display_name="第一代表团", mandates=[f"mandates/{NOBODY}"])]
    await polling.do_poll("Open", (await polling.draft(vote.meeting, delegations=groups)).name)


@refused_with("METHOD_REFUSED")
async def entering_the_count_of_an_electronic_poll(office: Office) -> None:
    polling, meeting = await known(office)
    poll = await polling.draft(meeting)
    questions = [results_pb2.QuestionCount(question="projects")]
    request = results_pb2.EnterPaperCountRequest(name=f"{poll.name}/boxes/1", questions=questions)
    await polling.vote("EnterPaperCount", request, "scrutineer")


@refused_with("NOT_IN_PERSON")
async def a_paper_for_nobody(office: Office) -> None:
    polling, meeting = await known(office)
    poll = await polling.draft(meeting)
    request = voting_pb2.TakePaperRequest(name=poll.name, blinded_message=bytes(256))
    await polling.vote("TakePaper", request, "delegate")
