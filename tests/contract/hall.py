"""Meetings of a hall, one for each thing that a case does to it."""

from datetime import UTC

from quanyutong.meetings.v1 import attendance_pb2
from tests.contract.office import Office
from tests.meetings.secretariat import Secretariat, morning

SEATS = 3
# Each on a day of its own, so that its delegates are at one at a time. Those of the past can be convened.
TO_HOLD = ("gathering", "to_convene", "in_session", "to_adjourn", "to_sum_up")
TO_CHANGE = ("to_rename", "to_move", "to_put_off", "to_give_up")


async def hall_of(office: Office) -> dict[str, str]:
    """The names of the meetings, of a venue to use and one to close, and of those on the roll of the gathering."""
    secretariat = Secretariat(office.tenant)
    term = await office.term(await office.assembly(await office.unit(40)))
    for _ in range(SEATS):
        await office.delegate(term)
    body = term.partition("/terms/")[0]
    names = {"meeting_body": body}
    for day, name in enumerate(TO_HOLD, 1):
        names[name] = await held(secretariat, body, name, day)
    for day, name in enumerate(TO_CHANGE, 10):
        names[name] = (await secretariat.meeting(body, morning(day))).name
    seats = [each.mandate for each in await secretariat.roll(names["gathering"])]
    observer = attendance_pb2.AddObserverRequest(parent=names["gathering"], display_name="区财政局 李某")
    return names | {
        **dict(zip(("seat", "other_seat", "third_seat"), seats, strict=True)),
        "observer": (await secretariat.meet("AddObserver", observer)).name,
        "venue": await secretariat.venue(),
        "venue_to_close": await secretariat.venue("旧会议室"),
        "begins": f"{morning(20).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "ends": f"{morning(21).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
    }


async def held(secretariat: Secretariat, body: str, name: str, day: int) -> str:
    """So far that what its name says can be done."""
    meeting = (await secretariat.meeting(body, morning(-day))).name
    mandates = [each.mandate for each in await secretariat.called(meeting, SEATS)]
    if name != "gathering":
        await secretariat.enter(meeting, *mandates)
    if name not in ("gathering", "to_convene"):
        await secretariat.do("Convene", meeting)
    if name == "to_sum_up":
        await secretariat.do("Adjourn", meeting)
    return meeting
