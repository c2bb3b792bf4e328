"""Plays Baitao's (白涛) year of opinions through the API, from wherever an earlier run left it.

The stations receive, what was said comes in by its channel, goes to its undertakers by the routes of the district, is
answered, judged, answered again where the answer was not enough; or is put off, or is still being done.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from chassis import clock
from chassis.wire import date_message
from quanyutong.feedback.v1 import handling_pb2, intakes_pb2
from quanyutong.feedback.v1 import opinions_pb2 as pb
from tests.demo.desk import Desk, several
from tests.demo.identified import identified
from tests.demo.matters import MATTERS
from tests.demo.said import DAY_AFTER, FIRST_DAY, Opinion, Place, Reception, receptions

REVIEW_AFTER = timedelta(days=180)
DEFERRED = "需纳入下一年度预算统筹安排（演示数据）"
ANSWER = "已现场核实并办理，第{number}次答复（演示数据）"
JUDGED = "对第{number}次答复的评价（演示数据）"
PERIOD: Mapping[str, Any] = {"from_date": date_message(FIRST_DAY), "to_date": date_message(DAY_AFTER)}


class Hearing:
    """The year of one place. `folder` keeps the receipt of one asker, who alone is given it."""

    def __init__(self, desk: Desk, place: Place, folder: Path) -> None:
        self._desk = desk
        self._place = place
        self._folder = folder

    async def play(self, planned: Sequence[Opinion], advance: Callable[[], None]) -> int:
        """Plays what is missing, or raises the first refusal. Returns how many opinions were not there before."""
        await several(self._routed, MATTERS)
        held = await self._held()
        there = {opinion.content: opinion for opinion in await self.opinions()}
        address = await self._address() if any(_anonymous(each, there) for each in planned) else ""

        async def handled(voice: Opinion) -> None:
            opinion = there.get(voice.content) or await self._entered(voice, held, address)
            while step := next_step(opinion, voice):
                verb, fields = step
                request = getattr(handling_pb2, f"{verb}OpinionRequest")(name=opinion.name, **fields)
                opinion = await self._desk.change(f"{verb}Opinion", request)
            advance()

        await several(handled, planned)
        return sum(voice.content not in there for voice in planned)

    async def opinions(self) -> list[pb.Opinion]:
        return await self._desk.all("ListOpinions", "opinions", pb.ListOpinionsRequest(unit=self._place.unit))

    async def receptions(self) -> list[intakes_pb2.Reception]:
        request = intakes_pb2.ListReceptionsRequest(unit=self._place.unit, **PERIOD)
        return await self._desk.all("ListReceptions", "receptions", request)

    async def followed(self) -> intakes_pb2.OpinionStatus | None:
        """What the asker sees who has the receipt; None once it was lost."""
        if not self._receipt.exists():
            return None
        request = intakes_pb2.GetStatusRequest(district=self._district, code=self._receipt.read_text())
        status: intakes_pb2.OpinionStatus = await self._desk.anonymously("GetStatus", request)
        return status

    @property
    def _district(self) -> str:
        return self._place.unit.removeprefix("units/")[:6]

    @property
    def _receipt(self) -> Path:
        return self._folder / "receipt"

    async def _routed(self, matter: Any) -> None:
        wanted = handling_pb2.ListRoutesRequest(category=matter.category)
        routes = await self._desk.all("ListRoutes", "routes", wanted)
        if not any(route.unit == self._place.unit for route in routes):
            route = handling_pb2.Route(category=matter.category, unit=self._place.unit, undertakers=matter.undertakers)
            await self._desk.change("CreateRoute", handling_pb2.CreateRouteRequest(route=route))

    async def _held(self) -> list[tuple[Reception, str]]:
        """All receptions of the year with their names, held where they were not."""
        planned = receptions(self._place)
        there = {_where_and_when(each) for each in await self.receptions()}
        await several(self._received, [each for each in planned if (each.station, each.day) not in there])
        names = {_where_and_when(each): each.name for each in await self.receptions()}
        return [(each, names[each.station, each.day]) for each in planned]

    async def _received(self, reception: Reception) -> None:
        entry = intakes_pb2.Reception(
            station=reception.station,
            day=date_message(reception.day),
            mandates=reception.delegates,
            people_received=reception.people,
        )
        await self._desk.change("CreateReception", intakes_pb2.CreateReceptionRequest(reception=entry))

    async def _address(self) -> str:
        """The secret in the address of an intake: of a new one, or a new one of the one that is there."""
        station = self._place.stations[0]
        there = await self._desk.all("ListIntakes", "intakes", intakes_pb2.ListIntakesRequest(station=station))
        if there:
            made = await self._desk.call("RotateIntake", intakes_pb2.RotateIntakeRequest(name=there[0].name))
        else:
            intake = intakes_pb2.Intake(station=station)
            made = await self._desk.call("CreateIntake", intakes_pb2.CreateIntakeRequest(intake=intake))
        return str(made.address).rpartition("/")[2].partition(":")[0]

    async def _entered(self, voice: Opinion, held: Sequence[tuple[Reception, str]], secret: str) -> pb.Opinion:
        if voice.channel == pb.OPINION_CHANNEL_INTAKE:
            return await self._submitted(voice, secret)
        entry = pb.Opinion(
            channel=voice.channel,
            category=voice.matter.category,
            content=voice.content,
            unit=self._place.unit,
            **self._origin(voice, held),
        )
        entered: pb.Opinion = await self._desk.change("CreateOpinion", pb.CreateOpinionRequest(opinion=entry))
        return entered

    def _origin(self, voice: Opinion, held: Sequence[tuple[Reception, str]]) -> Mapping[str, Any]:
        """When it was said and, by its channel, at which reception or by whom."""
        if voice.channel == pb.OPINION_CHANNEL_RECEPTION:
            reception, name = held[voice.turn % len(held)]
            return {"reception": name, "receive_date": date_message(reception.day)}
        delegates = self._place.delegates
        raised = voice.channel == pb.OPINION_CHANNEL_DELEGATE
        mandate = delegates[voice.turn % len(delegates)] if raised else ""
        return {"mandate": mandate, "receive_date": date_message(voice.day)}

    async def _submitted(self, voice: Opinion, secret: str) -> pb.Opinion:
        """Said at the address, by somebody who keeps the receipt."""
        request = intakes_pb2.SubmitOpinionRequest(
            district=self._district, secret=secret, category=voice.matter.category, content=voice.content
        )
        told = await self._desk.anonymously("SubmitOpinion", identified(request))
        if voice.end == pb.OPINION_STATE_CLOSED:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._receipt.write_text(told.receipt)
        found: pb.Opinion = await self._desk.call("GetOpinion", pb.GetOpinionRequest(name=told.opinion))
        return found


def next_step(opinion: pb.Opinion, voice: Opinion) -> tuple[str, Mapping[str, Any]] | None:
    """What is done next with an opinion on its way to its end, and with what; None where it is there."""
    number = len(opinion.answers)
    if opinion.state == voice.end:
        return None
    if opinion.state == pb.OPINION_STATE_ANSWERED:
        return "Judge", {"judgement": voice.grades[number - 1], "reason": JUDGED.format(number=number)}
    answer = "Answer", {"content": ANSWER.format(number=number + 1)}
    review = {"reason": DEFERRED, "review_date": date_message(clock.today() + REVIEW_AFTER)}
    undertaken = {pb.OPINION_STATE_IN_PROGRESS: ("Start", {}), pb.OPINION_STATE_DEFERRED: ("Defer", review)}
    steps: Mapping[int, tuple[str, Mapping[str, Any]]] = {
        pb.OPINION_STATE_RECEIVED: ("Acknowledge", {}),
        pb.OPINION_STATE_ACKNOWLEDGED: ("Route", {}),
        pb.OPINION_STATE_ROUTED: undertaken.get(voice.end, answer),
        pb.OPINION_STATE_REOPENED: answer,
    }
    return steps.get(opinion.state)


def _anonymous(voice: Opinion, there: Mapping[str, pb.Opinion]) -> bool:
    """Whether it still has to be said at an address."""
    return voice.channel == pb.OPINION_CHANNEL_INTAKE and voice.content not in there


def _where_and_when(reception: intakes_pb2.Reception) -> tuple[str, date]:
    day = reception.day
    return reception.station, date(day.year, day.month, day.day)
