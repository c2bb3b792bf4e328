"""The agenda of a meeting, and the opinions that arise from it."""

from quanyutong.meetings.v1 import agenda_pb2 as pb
from quanyutong.meetings.v1 import deliberation_pb2 as deliberation
from tests.harness import refused
from tests.meetings.items import SPECIAL, act, convened, grades, in_session, item, opinion, step
from tests.meetings.secretariat import Secretariat

PREFIX = "ERROR_REASON_"


async def order(secretariat: Secretariat, meeting: str) -> list[tuple[int, str]]:
    listed = await secretariat.meet("ListAgendaItems", pb.ListAgendaItemsRequest(meeting=meeting))
    return [(one.position, one.title) for one in listed.agenda_items]


async def test_items_keep_their_order_when_one_is_moved(secretariat: Secretariat) -> None:
    meeting = await convened(secretariat)
    names = [(await item(secretariat, meeting, title)).name for title in "甲乙丙丁"]
    await act(secretariat, "Move", names[0], position=3)
    assert await order(secretariat, meeting) == [(1, "乙"), (2, "丙"), (3, "甲"), (4, "丁")]
    await act(secretariat, "Move", names[3], position=1)
    assert await order(secretariat, meeting) == [(1, "丁"), (2, "乙"), (3, "丙"), (4, "甲")]


async def test_a_special_report_is_heard_and_evaluated(secretariat: Secretariat) -> None:
    made = await item(secretariat, await convened(secretariat), "水库移民后期扶持", item_class=SPECIAL)
    await act(secretariat, "Open", made.name)
    done = await act(
        secretariat, "Conclude", made.name, outcome=pb.ITEM_OUTCOME_EVALUATED, evaluation=grades(56, 28, 20)
    )
    assert (done.state, done.evaluation.result) == (pb.ITEM_STATE_CONCLUDED, pb.SATISFACTION_SATISFIED)
    assert done.evaluation.rule_versions[0] == "votes.satisfied@2005-01-01"
    again = act(secretariat, "Conclude", made.name, outcome=pb.ITEM_OUTCOME_HEARD)
    assert await refused(again) == f"{PREFIX}ITEM_STATE_REFUSED"


async def test_grades_are_counted_of_the_roll_that_was_frozen(secretariat: Secretariat) -> None:
    """Three are on the roll: two satisfied ones are enough, and of the four that the caller names they just are."""
    meeting, mandates = await in_session(secretariat, 3)
    await secretariat.end(mandates[0])
    found = []
    for counts in (grades(0, 2), grades(4, 2), grades(0, 1)):
        name = (await item(secretariat, meeting, item_class=SPECIAL)).name
        await act(secretariat, "Open", name)
        done = await act(secretariat, "Conclude", name, outcome=pb.ITEM_OUTCOME_EVALUATED, evaluation=counts)
        found.append((done.evaluation.members, done.evaluation.result))
        assert "votes.grade_base@2005-01-01" in done.evaluation.rule_versions
    satisfied, dissatisfied = pb.SATISFACTION_SATISFIED, pb.SATISFACTION_DISSATISFIED
    assert found == [(3, satisfied), (4, satisfied), (3, dissatisfied)]
    last = (await item(secretariat, meeting, item_class=SPECIAL)).name
    await act(secretariat, "Open", last)
    too_many = act(secretariat, "Conclude", last, outcome=pb.ITEM_OUTCOME_EVALUATED, evaluation=grades(0, 4))
    assert await refused(too_many) == f"{PREFIX}EVALUATION_REFUSED"


async def test_an_opinion_until_it_is_closed(secretariat: Secretariat) -> None:
    meeting = await convened(secretariat)
    source = (await item(secretariat, meeting)).name
    stays, goes = await opinion(secretariat, source), await opinion(secretariat, source)
    assert (await step(secretariat, "Merge", goes, into=stays)).merged_into == stays
    handed = await step(secretariat, "Hand", stays, undertaker="镇农业服务中心")
    assert (handed.rule_version, handed.overdue) == ("congress.deliberation_answer@2005-01-01", False)
    await step(secretariat, "Answer", stays, answer="正在办理")
    judged = await step(secretariat, "Judge", stays, judgement=pb.SATISFACTION_DISSATISFIED)
    assert judged.state == deliberation.OPINION_STATE_REOPENED
    await step(secretariat, "Answer", stays, answer="已经办结")
    await step(secretariat, "Judge", stays, judgement=pb.SATISFACTION_SATISFIED)
    closed = await step(secretariat, "Close", stays)
    state = deliberation.OPINION_STATE_CLOSED
    request = deliberation.ListDeliberationOpinionsRequest(meeting=meeting, state=state, undertaker="镇农业服务中心")
    assert list((await secretariat.meet("ListDeliberationOpinions", request)).deliberation_opinions) == [closed]
    assert await refused(step(secretariat, "Close", stays)) == f"{PREFIX}OPINION_STATE_REFUSED"
