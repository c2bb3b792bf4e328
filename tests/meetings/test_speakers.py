"""Speakers' lists: who has the word, for how long, and what became of the speech."""

import asyncio
from datetime import datetime, timedelta

import grpc

from chassis.wire import timestamp
from quanyutong.meetings.v1 import attendance_pb2, events_pb2, watch_pb2
from quanyutong.meetings.v1 import speakers_pb2 as pb
from quanyutong.registry.v1 import activities_pb2
from tests.contract.acts import SPEECH
from tests.contract.heard import heard
from tests.contract.office import mask
from tests.harness import reason, refused, until
from tests.meetings.items import act, item
from tests.meetings.secretariat import Secretariat, in_hours
from tests.meetings.sitting import enlist, hall, in_person, opened, speak, speakers
from tests.meetings.test_watch import watch

PREFIX = "ERROR_REASON_"
WAITING, SPEAKING = pb.SPEAKER_STATE_WAITING, pb.SPEAKER_STATE_SPEAKING
SPOKEN, WITHDRAWN = pb.SPEAKER_STATE_SPOKEN, pb.SPEAKER_STATE_WITHDRAWN


def ago(minutes: float) -> datetime:
    return in_hours(-minutes / 60).replace(microsecond=0)


async def test_a_list_keeps_its_order_and_one_speaks_at_a_time(secretariat: Secretariat) -> None:
    meeting, item_name, mandates = await hall(secretariat, 3)
    names = [(await enlist(secretariat, item_name, mandate)).name for mandate in mandates]
    await speak(secretariat, "MoveSpeaker", names[2], position=1)
    assert [one.name for one in await speakers(secretariat, item_name)] == [names[2], names[0], names[1]]
    assert await refused(enlist(secretariat, item_name, mandates[0])) == f"{PREFIX}SPEAKER_ENLISTED"
    assert (await speak(secretariat, "CallSpeaker", names[2])).state == SPEAKING
    other = await enlist(secretariat, await opened(secretariat, meeting), mandates[0])
    for name in (names[0], other.name):
        assert await refused(speak(secretariat, "CallSpeaker", name)) == f"{PREFIX}SPEECH_RUNNING"
    assert await refused(speak(secretariat, "MoveSpeaker", names[2], position=2)) == f"{PREFIX}SPEAKER_STATE_REFUSED"
    await speak(secretariat, "EndSpeech", names[2])
    assert (await speak(secretariat, "CallSpeaker", names[0])).state == SPEAKING
    assert (await speak(secretariat, "WithdrawSpeaker", names[1])).state == WITHDRAWN
    assert [one.name for one in await speakers(secretariat, item_name, state=SPOKEN)] == [names[2]]
    # Who has spoken may ask for the word again, and who withdrew too.
    assert [(await enlist(secretariat, item_name, mandate)).position for mandate in mandates[1:]] == [4, 5]


async def test_a_speech_beyond_its_limit_is_shown_and_recorded(secretariat: Secretariat) -> None:
    begun, ended = ago(20), ago(9)
    meeting, mandates = (await hall(secretariat, 1))[::2]
    made = await item(secretariat, meeting, minutes_allowed=10)
    await act(secretariat, "Open", made.name, open_time=timestamp(ago(30)))
    name = (await enlist(secretariat, made.name, mandates[0])).name
    await speak(secretariat, "CallSpeaker", name, begin_time=timestamp(begun))
    (running,) = await speakers(secretariat, made.name)
    assert (running.minutes_limit, running.overtime.ToTimedelta() > timedelta(minutes=9)) == (10, True)
    done = await speak(secretariat, "EndSpeech", name, end_time=timestamp(ended), summary="建议加快工期。")
    assert (done.state, done.summary) == (SPOKEN, "建议加快工期。")
    assert done.duration.ToTimedelta() == ended - begun
    assert done.overtime.ToTimedelta() == ended - begun - timedelta(minutes=10)
    changed = pb.Speaker(name=name, summary="建议加快工期，确保质量。", etag=done.etag)
    request = pb.UpdateSpeakerRequest(speaker=changed, update_mask=mask("summary"))
    assert (await secretariat.meet("UpdateSpeaker", request)).summary == "建议加快工期，确保质量。"
    longer = pb.UpdateSpeakerRequest(
        speaker=pb.Speaker(name=name, minutes_allowed=20), update_mask=mask("minutes_allowed")
    )
    assert await refused(secretariat.meet("UpdateSpeaker", longer)) == f"{PREFIX}SPEAKER_STATE_REFUSED"
    # Nothing is entered for a time before the item was opened.
    again = (await enlist(secretariat, made.name, mandates[0])).name
    early = speak(secretariat, "CallSpeaker", again, begin_time=timestamp(ago(31)))
    assert await refused(early) == f"{PREFIX}TIME_REFUSED"


async def test_only_who_is_there_speaks_and_only_to_an_item_that_is_open(secretariat: Secretariat) -> None:
    meeting, item_name, mandates = await hall(secretariat, 2)
    name = (await enlist(secretariat, item_name, mandates[0])).name
    planned = (await item(secretariat, meeting)).name
    early = (await enlist(secretariat, planned, mandates[1])).name
    assert await refused(speak(secretariat, "CallSpeaker", early)) == f"{PREFIX}ITEM_STATE_REFUSED"
    leave = attendance_pb2.LeaveMeetingRequest(name=meeting, attendee=mandates[0])
    await secretariat.meet("LeaveMeeting", leave)
    assert await refused(speak(secretariat, "CallSpeaker", name)) == f"{PREFIX}NOT_PRESENT"
    await secretariat.enter(meeting, mandates[0])
    assert (await speak(secretariat, "CallSpeaker", name)).state == SPEAKING


async def test_delegates_act_for_themselves(secretariat: Secretariat) -> None:
    meeting, item_name, mandates = await hall(secretariat, 2)
    persons = {attendee.mandate: attendee.person for attendee in await secretariat.roll(meeting)}
    request = pb.EnlistSpeakerRequest(parent=item_name)
    own = await in_person(secretariat, persons[mandates[0]], "EnlistSpeaker", request)
    assert (own.mandate, own.state) == (mandates[0], WAITING)
    request.attendee = mandates[0]
    other = in_person(secretariat, persons[mandates[1]], "EnlistSpeaker", request)
    assert await refused(other) == f"{PREFIX}ATTENDEE_REFUSED"
    withdrawal = pb.WithdrawSpeakerRequest(name=own.name)
    other = in_person(secretariat, persons[mandates[1]], "WithdrawSpeaker", withdrawal)
    assert await refused(other) == f"{PREFIX}ATTENDEE_REFUSED"
    assert (await in_person(secretariat, persons[mandates[0]], "WithdrawSpeaker", withdrawal)).state == WITHDRAWN


async def test_an_observer_on_a_list_stays_on_the_roll_and_is_told_of_nowhere(secretariat: Secretariat) -> None:
    meeting, item_name, mandates = await hall(secretariat, 1)
    request = attendance_pb2.AddObserverRequest(parent=meeting, display_name="区财政局局长")
    observer = (await secretariat.meet("AddObserver", request)).name
    await secretariat.enter(meeting, observer)
    listed = [await enlist(secretariat, item_name, attendee) for attendee in (observer, mandates[0])]
    assert (listed[0].mandate, listed[0].display_name) == ("", "区财政局局长")
    removal = attendance_pb2.RemoveObserverRequest(name=observer)
    assert await refused(secretariat.meet("RemoveObserver", removal)) == f"{PREFIX}SPEAKER_ENLISTED"
    for one in listed:
        await speak(secretariat, "CallSpeaker", one.name)
        await speak(secretariat, "EndSpeech", one.name)
    # The observer spoke first, and the first that is told of is the delegate.
    (told,) = await heard(secretariat, events_pb2.SpeechGiven, 1)
    assert (told.meeting, told.item, told.mandate) == (meeting, item_name, mandates[0])


async def test_the_record_of_a_delegate_has_the_speech(secretariat: Secretariat) -> None:
    meeting, item_name, mandates = await hall(secretariat, 1)
    for _ in range(2):
        name = (await enlist(secretariat, item_name, mandates[0])).name
        await speak(secretariat, "CallSpeaker", name)
        await speak(secretariat, "EndSpeech", name)
    request = activities_pb2.ListActivitiesRequest(mandate=mandates[0], kinds=[SPEECH])

    async def counted() -> list[str]:
        return [activity.source for activity in (await secretariat.call("ListActivities", request)).activities]

    assert await until(counted) == [meeting]


async def test_a_seat_that_goes_before_the_meeting_goes_off_the_lists(secretariat: Secretariat) -> None:
    meeting, mandates = await secretariat.ready(2, 0)
    planned = (await item(secretariat, meeting)).name
    for mandate in mandates:
        await enlist(secretariat, planned, mandate)
    await secretariat.end(mandates[0])
    await secretariat.called(meeting, 1)
    assert [(one.mandate, one.position) for one in await speakers(secretariat, planned)] == [(mandates[1], 2)]


async def test_a_screen_shows_the_item_and_who_speaks(secretariat: Secretariat) -> None:
    meeting, item_name, mandates = await hall(secretariat, 2, minutes_allowed=8)
    call = watch(secretariat, meeting)
    first = await call.read()
    assert [(shown.name, shown.title, shown.position) for shown in first.items] == [(item_name, "大会发言", 1)]
    names = []
    for waiting, mandate in enumerate(mandates, 1):
        names.append((await enlist(secretariat, item_name, mandate)).name)
        state = await call.read()
        assert (state.speakers_waiting, state.HasField("speaker")) == (waiting, False)
    called = await speak(secretariat, "CallSpeaker", names[0])
    state = await call.read()
    expected = watch_pb2.CurrentSpeaker(
        name=names[0], display_name="王小明", begin_time=called.begin_time, minutes_limit=8
    )
    assert (state.speaker, [turn.name for turn in state.next_speakers]) == (expected, names[1:])
    await speak(secretariat, "EndSpeech", names[0])
    assert not (await call.read()).HasField("speaker")
    await act(secretariat, "Conclude", item_name, outcome=1)
    done = await call.read()
    assert (list(done.items), done.speakers_waiting) == ([], 0)
    call.cancel()


async def test_the_city_sees_that_somebody_speaks_and_not_who(secretariat: Secretariat) -> None:
    meeting, item_name, (mandate,) = await hall(secretariat, 1)
    name = (await enlist(secretariat, item_name, mandate)).name
    await speak(secretariat, "CallSpeaker", name)
    metadata = secretariat.tenant.platform.metadata(["overseer"], x_district=secretariat.district)
    request = watch_pb2.WatchMeetingRequest(name=meeting)
    call = secretariat.tenant.meetings.WatchMeeting(request, metadata=metadata, timeout=60)
    shown = (await call.read()).speaker
    assert (shown.name, shown.display_name) == (name, "")
    call.cancel()
    listed = secretariat.tenant.meetings.ListSpeakers(pb.ListSpeakersRequest(parent=item_name), metadata=metadata)
    assert await refused(listed) == f"{PREFIX}ROLE_MISSING"


async def test_of_all_who_are_called_at_once_one_speaks(secretariat: Secretariat) -> None:
    _, item_name, mandates = await hall(secretariat, 4)
    listed = await asyncio.gather(*(enlist(secretariat, item_name, mandate) for mandate in mandates))
    assert sorted(one.position for one in listed) == [1, 2, 3, 4]
    calls = (speak(secretariat, "CallSpeaker", one.name) for one in listed)
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    refusals = [reason(outcome) for outcome in outcomes if isinstance(outcome, grpc.aio.AioRpcError)]
    assert refusals == [f"{PREFIX}SPEECH_RUNNING"] * 3
    assert len(await speakers(secretariat, item_name, state=SPEAKING)) == 1
