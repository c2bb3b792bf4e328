"""A session with an entry for each thing that can be done in it, each used by one call alone."""

from datetime import timedelta
from typing import Any

from chassis.wire import timestamp
from quanyutong.meetings.v1 import agenda_pb2, preparations_pb2
from tests.contract.office import NOBODY
from tests.meetings.items import act, in_session, item, opinion, step
from tests.meetings.secretariat import Secretariat, in_hours
from tests.meetings.sitting import (
    CONSULTATION,
    INQUIRY,
    agree,
    ask,
    attach,
    enlist,
    link,
    opened,
    speak,
)

OPINION = preparations_pb2.PREPARATION_KIND_OPINION


async def session(secretariat: Secretariat) -> dict[str, str]:
    """Two consultations in session, since in each of them one may speak, and each ends in one measure."""
    meeting, (one, other) = await in_session(secretariat, 2, unit=31, kind=CONSULTATION)
    second, (speaker,) = await in_session(secretariat, 1, unit=32, kind=CONSULTATION)
    return {
        "sitting": meeting,
        "present": one,
        "measure": (await agree(secretariat, second)).name,
        "preparation": await link(secretariat, second, f"opinions/{NOBODY}", OPINION),
        "prepared": second,
        **await _agenda(secretariat, meeting),
        **await _speakers(secretariat, meeting, one, other),
        **await _speech(secretariat, second, speaker),
        **await _deliberations(secretariat, meeting),
    }


async def _agenda(secretariat: Secretariat, meeting: str) -> dict[str, str]:
    planned = ("to_retitle", "to_shift", "to_open", "to_drop", "documented")
    names = {name: (await item(secretariat, meeting, name)).name for name in planned}
    document = await attach(secretariat, names["documented"])
    to_conclude = await opened(secretariat, meeting, title="to_conclude")
    return {**names, "to_conclude": to_conclude, "to_detach": document.name}


async def _speakers(secretariat: Secretariat, meeting: str, one: str, other: str) -> dict[str, str]:
    speeches, quiet = await opened(secretariat, meeting), (await item(secretariat, meeting)).name
    listed = (await item(secretariat, meeting)).name
    inquiry, unanswered = [await opened(secretariat, meeting, item_class=INQUIRY) for _ in range(2)]
    await ask(secretariat, unanswered, one)
    await enlist(secretariat, listed, one)
    return {
        "to_call": (await enlist(secretariat, speeches, one)).name,
        "to_move_up": (await enlist(secretariat, speeches, other)).name,
        "to_lengthen": (await enlist(secretariat, quiet, one)).name,
        "to_take_off": (await enlist(secretariat, quiet, other)).name,
        "listed": listed,
        "inquiry": inquiry,
        "unanswered": unanswered,
        "question": await ask(secretariat, inquiry, one),
    }


async def _speech(secretariat: Secretariat, meeting: str, speaker: str) -> dict[str, str]:
    """A speech of a minute and a half, that has still to end."""
    begin = in_hours(-0.1).replace(microsecond=0)
    made = await item(secretariat, meeting)
    await act(secretariat, "Open", made.name, open_time=timestamp(begin))
    name = (await enlist(secretariat, made.name, speaker)).name
    await speak(secretariat, "CallSpeaker", name, begin_time=timestamp(begin))
    end = begin + timedelta(seconds=90)
    return {"to_end_speech": name, "speech_end": f"{end:%Y-%m-%dT%H:%M:%SZ}"}


async def _deliberations(secretariat: Secretariat, meeting: str) -> dict[str, str]:
    """An opinion at each step of its path."""
    source = (await item(secretariat, meeting)).name
    collected = ("opinion", "to_merge", "to_hand")
    names = {name: await opinion(secretariat, source) for name in collected}
    path = (
        ("to_answer", ["Hand"]),
        ("to_judge", ["Hand", "Answer"]),
        ("to_close_opinion", ["Hand", "Answer", "Judge"]),
    )
    fields: dict[str, dict[str, Any]] = {
        "Hand": {"undertaker": "区水利局"},
        "Answer": {"answer": "正在办理"},
        "Judge": {"judgement": agenda_pb2.SATISFACTION_SATISFIED},
    }
    for name, verbs in path:
        names[name] = await opinion(secretariat, source)
        for verb in verbs:
            await step(secretariat, verb, names[name], **fields[verb])
    return names
