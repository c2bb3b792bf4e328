"""Consultations on a single matter (一事一议) end in a measure; and how any meeting comes to its end."""

from chassis.wire import timestamp
from quanyutong.meetings.v1 import agenda_pb2, events_pb2, meeting_pb2
from quanyutong.meetings.v1 import measures_pb2 as pb
from tests.contract.heard import heard
from tests.contract.office import in_days, on
from tests.harness import refused
from tests.meetings.items import act, convened
from tests.meetings.secretariat import Secretariat, in_hours
from tests.meetings.sitting import CONSULTATION, agree, complete, consultation, enlist, hall, opened, speak

PREFIX = "ERROR_REASON_"


async def measures(secretariat: Secretariat, **filters: object) -> list[pb.Measure]:
    request = pb.ListMeasuresRequest(**filters)  # type: ignore[arg-type]
    return list((await secretariat.meet("ListMeasures", request)).measures)


async def test_a_consultation_ends_in_a_measure_that_is_done(secretariat: Secretariat) -> None:
    meeting = await consultation(secretariat)
    first = await agree(secretariat, meeting)
    stale = agree(secretariat, meeting, etag='"9"')
    assert await refused(stale) == f"{PREFIX}ETAG_MISMATCH"
    changed = await agree(secretariat, meeting, 60, content="更换并新增路灯", etag=first.etag)
    assert (changed.name, changed.content, changed.done) == (first.name, "更换并新增路灯", False)
    told = await heard(secretariat, events_pb2.MeasureAgreed, 2)
    assert [one.due_date for one in told] == [on(in_days(30)), on(in_days(60))]
    await secretariat.do("Adjourn", meeting)
    assert (await secretariat.do("Close", meeting)).phase == meeting_pb2.PHASE_CLOSED
    assert await refused(agree(secretariat, meeting)) == f"{PREFIX}PHASE_REFUSED"
    done = await complete(secretariat, first.name)
    assert (done.done, done.overdue, done.report) == (True, False, "路灯已全部更换。")
    assert await secretariat.meet("GetMeasure", pb.GetMeasureRequest(name=first.name)) == done
    assert await refused(complete(secretariat, first.name)) == f"{PREFIX}MEASURE_DONE"


async def test_measures_are_found_by_owner_and_by_how_far_they_are(secretariat: Secretariat) -> None:
    assert await measures(secretariat) == []
    later = await agree(secretariat, await consultation(secretariat))
    soon = await agree(secretariat, await consultation(secretariat, 2), 3, owner="镇农业服务中心")
    assert await measures(secretariat) == [soon, later]
    assert await measures(secretariat, owner="镇农业服务中心") == [soon]
    assert await measures(secretariat, meeting=later.meeting) == [later]
    assert await measures(secretariat, overdue=True) == []
    await complete(secretariat, soon.name)
    assert await measures(secretariat, open=True) == [later]


async def test_a_measure_is_overdue_from_the_day_after_its_last_one(secretariat: Secretariat) -> None:
    """The consultation began two days ago, so that its last day may have passed."""
    long_ago = in_hours(-48)
    meeting, mandates = await secretariat.ready(1, 0, long_ago, kind=CONSULTATION)
    await secretariat.enter(meeting, *mandates, check_in_time=timestamp(long_ago))
    await secretariat.do("Convene", meeting, convene_time=timestamp(long_ago))
    assert await refused(agree(secretariat, meeting, -3)) == f"{PREFIX}FIELD_INVALID"
    assert not (await agree(secretariat, meeting, 0)).overdue
    late = await agree(secretariat, meeting, -1)
    assert late.overdue
    assert await measures(secretariat, overdue=True) == [late]
    assert not (await complete(secretariat, late.name)).overdue


async def test_without_a_measure_a_consultation_is_not_closed(secretariat: Secretariat) -> None:
    meeting = await consultation(secretariat)
    await secretariat.do("Adjourn", meeting)
    assert await refused(secretariat.do("Close", meeting)) == f"{PREFIX}MEASURE_MISSING"
    await agree(secretariat, meeting)
    assert (await secretariat.do("Close", meeting)).phase == meeting_pb2.PHASE_CLOSED


async def test_other_meetings_have_no_measure(secretariat: Secretariat) -> None:
    assert await refused(agree(secretariat, await convened(secretariat))) == f"{PREFIX}MEASURE_REFUSED"


async def test_a_speech_ends_before_the_session_and_an_item_before_the_meeting(secretariat: Secretariat) -> None:
    meeting, item_name, mandates = await hall(secretariat, 1)
    never = await opened(secretariat, meeting)
    name = (await enlist(secretariat, item_name, mandates[0])).name
    await speak(secretariat, "CallSpeaker", name)
    heard_out = agenda_pb2.ITEM_OUTCOME_HEARD
    assert await refused(act(secretariat, "Conclude", item_name, outcome=heard_out)) == f"{PREFIX}SPEECH_RUNNING"
    assert await refused(secretariat.do("Adjourn", meeting)) == f"{PREFIX}SPEECH_RUNNING"
    # The other item is none of the speech's.
    await act(secretariat, "Conclude", never, outcome=heard_out)
    await speak(secretariat, "EndSpeech", name)
    await secretariat.do("Adjourn", meeting)
    assert await refused(secretariat.do("Close", meeting)) == f"{PREFIX}ITEMS_OPEN"
    await act(secretariat, "Conclude", item_name, outcome=heard_out)
    assert (await secretariat.do("Close", meeting)).phase == meeting_pb2.PHASE_CLOSED
