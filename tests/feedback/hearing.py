"""A district that hears its residents, as tests see it: a station, a delegate, and opinions to be handled."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import grpc
from pydantic import SecretStr

from chassis import clock, tenancy
from chassis.database import Database
from chassis.migrations import runtime_url
from quanyutong.feedback.v1 import handling_pb2 as handling
from quanyutong.feedback.v1 import intakes_pb2 as intakes
from quanyutong.feedback.v1 import merging_pb2 as merging
from quanyutong.feedback.v1 import nominations_pb2 as nominations
from quanyutong.feedback.v1 import opinions_pb2 as pb
from quanyutong.feedback.v1 import proposal_steps_pb2 as proposal_steps
from quanyutong.feedback.v1 import proposals_pb2 as proposals
from services.feedback import overdue
from tests.contract.office import STATION, Office
from tests.harness import reason, until

RECEPTION, DELEGATE = pb.OPINION_CHANNEL_RECEPTION, pb.OPINION_CHANNEL_DELEGATE
ONLINE, TRANSPORT = pb.OPINION_CHANNEL_ONLINE, pb.OPINION_CATEGORY_TRANSPORT
UNHEARD = ("ERROR_REASON_STATION_NOT_FOUND", "ERROR_REASON_MANDATE_NOT_FOUND")
ROADS, POLICE = "区交通局", "区公安分局"
UNDERTAKERS = [pb.Undertaker(display_name=ROADS, lead=True), pb.Undertaker(display_name=POLICE)]
ELAPSED = (
    "UPDATE feedback.opinion SET due_date = due_date - $2::int, warned_at = NULL WHERE id = $1",
    "UPDATE feedback.proposal SET (due_date, assign_date) = (due_date - $2::int, assign_date - $2::int) WHERE id = $1",
    "UPDATE feedback.opinion_step SET at = at - make_interval(days => $2::int) WHERE opinion = $1",
)
# As if the one who came first to an intake took long.
HELD_UP = "SELECT pg_advisory_lock(hashtextextended('intake ' || $1, 3))"


class Hearing(Office):
    """The office for residents' opinions (群众意见办理)."""

    def said(self, content: str = "滨江路路灯不亮", **fields: Any) -> pb.Opinion:
        given: dict[str, Any] = {"channel": ONLINE, "category": TRANSPORT, "content": content}
        return pb.Opinion(**(given | fields))

    async def insist(self, rpc: str, request: Any, *roles: str, **metadata: str) -> Any:
        """Calls until the feedback service has heard of the stations and mandates that the request names."""

        async def done() -> Any:
            try:
                return await self.hear(rpc, request, *roles, **metadata)
            except grpc.aio.AioRpcError as error:
                if reason(error) in UNHEARD:
                    return None
                raise

        return await until(done)

    async def opinion(self, content: str = "滨江路路灯不亮", **fields: Any) -> pb.Opinion:
        request = pb.CreateOpinionRequest(opinion=self.said(content, **fields))
        entered: pb.Opinion = await self.insist("CreateOpinion", request)
        return entered

    async def shown(self, name: str) -> pb.Opinion:
        found: pb.Opinion = await self.hear("GetOpinion", pb.GetOpinionRequest(name=name))
        return found

    async def listed(self, **filters: Any) -> list[str]:
        found = await self.hear("ListOpinions", pb.ListOpinionsRequest(**filters))
        return [each.name for each in found.opinions]

    async def handle(self, verb: str, name: str, *roles: str, **fields: Any) -> pb.Opinion:
        """`verb` is `Acknowledge`, `Route`, `Answer` and so on."""
        request = getattr(handling, f"{verb}OpinionRequest")(name=name, **fields)
        done: pb.Opinion = await self.hear(f"{verb}Opinion", request, *roles)
        return done

    async def acknowledged(self, **fields: Any) -> str:
        return (await self.handle("Acknowledge", (await self.opinion(**fields)).name)).name

    async def routed(self, **fields: Any) -> str:
        return (await self.handle("Route", await self.acknowledged(**fields), undertakers=UNDERTAKERS)).name

    async def answered(self, **fields: Any) -> str:
        return (await self.handle("Answer", await self.routed(**fields), content="已修好")).name

    async def steps(self, name: str) -> list[str]:
        found = await self.hear("ListOpinionSteps", handling.ListOpinionStepsRequest(parent=name))
        return [step.verb for step in found.steps]

    async def merge_opinions(self, name: str, *others: str) -> pb.Opinion:
        """The first stands for the others."""
        request = merging.MergeOpinionsRequest(name=name, opinions=others)
        standing: pb.Opinion = await self.hear("MergeOpinions", request)
        return standing

    def written(self, *mandates: str, **fields: Any) -> proposals.DelegateProposal:
        given: dict[str, Any] = {
            "title": "关于增开公交线路的建议",
            "content": "建议增开白涛至城区的公交线路。",
            "category": TRANSPORT,
            "disclosure": proposals.DISCLOSURE_TITLE,
        }
        return proposals.DelegateProposal(mandates=mandates, **(given | fields))

    async def proposal(self, *mandates: str, **fields: Any) -> proposals.DelegateProposal:
        request = proposals.CreateProposalRequest(proposal=self.written(*mandates, **fields))
        handed_in: proposals.DelegateProposal = await self.insist("CreateProposal", request)
        return handed_in

    async def step(self, verb: str, name: str, *roles: str, **fields: Any) -> proposals.DelegateProposal:
        """`verb` is `Register`, `Assign`, `Answer` and so on."""
        request = getattr(proposals, f"{verb}ProposalRequest")(name=name, **fields)
        done: proposals.DelegateProposal = await self.hear(f"{verb}Proposal", request, *roles)
        return done

    async def proposal_steps(self, name: str, *roles: str) -> list[proposal_steps.ProposalStep]:
        request = proposal_steps.ListProposalStepsRequest(parent=name)
        return list((await self.hear("ListProposalSteps", request, *roles)).steps)

    async def assigned_proposal(self, *mandates: str, **fields: Any) -> str:
        name = (await self.proposal(*mandates, **fields)).name
        for verb in ("Register", "Examine"):
            await self.step(verb, name)
        return (await self.step("Assign", name, undertakers=UNDERTAKERS)).name

    async def answered_proposal(self, *mandates: str, **fields: Any) -> str:
        name = await self.assigned_proposal(*mandates, **fields)
        await self.step("CoAnswer", name, undertaker=POLICE, content="可设港湾式站台")
        return (await self.step("Answer", name, content="已列入计划", outcome=proposals.OUTCOME_CLASS_B)).name

    async def intake(self) -> intakes.Intake:
        station = await self.station(await self.unit(60), STATION)
        made: intakes.Intake = await self.insist("CreateIntake", of_station(station))
        return made

    def submission(
        self, intake: intakes.Intake, content: str = "井盖松动", **fields: Any
    ) -> intakes.SubmitOpinionRequest:
        *_, district, last = intake.address.split("/")
        said: dict[str, Any] = {"category": TRANSPORT, "content": content}
        return intakes.SubmitOpinionRequest(district=district, secret=last.partition(":")[0], **(said | fields))

    async def anonymously(self, rpc: str, request: Any) -> Any:
        """Without a token, as soon as the gateway lets more in."""

        async def let_in() -> Any:
            try:
                return await getattr(self.tenant.feedback, rpc)(request)
            except grpc.aio.AioRpcError as error:
                if reason(error) == "ERROR_REASON_RATE_LIMITED":
                    return None
                raise

        return await until(let_in)

    @asynccontextmanager
    async def waiting(self, intake: intakes.Intake, count: int) -> AsyncIterator[list[asyncio.Task[Any]]]:
        """So many say something at an address, and none is heard out before the end of the block."""
        connection = await asyncpg.connect(self.tenant.platform.postgres.url)
        try:
            await connection.execute(HELD_UP, intake.name.partition("/")[2])
            said = [self.submission(intake, f"第{number}件") for number in range(count)]
            calls = [asyncio.create_task(self.anonymously("SubmitOpinion", each)) for each in said]
            try:
                yield calls
            finally:
                await connection.execute("SELECT pg_advisory_unlock_all()")
                await asyncio.wait(calls)
        finally:
            await connection.close()

    async def take_at_most(self, intake: intakes.Intake, most: int) -> None:
        """Has the intake take as many as the district's own rule allows, as soon as the service has heard of it."""
        await self.override(str(most), rule="rules/stations_and_voice.intake_a_day")

        async def full() -> bool:
            try:
                await self.anonymously("SubmitOpinion", self.submission(intake, str(uuid4())))
            except grpc.aio.AioRpcError as error:
                if reason(error) != "ERROR_REASON_INTAKE_FULL":
                    raise
                return True
            return False

        await until(full)

    async def look(self, day: date | None = None) -> None:
        """The round of what is due, as the process that leads goes it."""
        platform = self.tenant.platform
        settings = platform.settings.model_copy(update={"database_url": SecretStr(platform.postgres.url)})
        database = Database(runtime_url(settings, "feedback"), "feedback", 1, 30)
        try:
            with tenancy.acting_for(self.district):
                await overdue.look(database, day or clock.today())
        finally:
            await database.close()

    async def elapse(self, name: str, days: int) -> None:
        """As if so many days had passed since the last thing that happened to an opinion or a proposal."""
        connection = await asyncpg.connect(self.tenant.platform.postgres.url)
        try:
            await connection.execute("SELECT set_config('app.district', $1, false)", self.district)
            for statement in ELAPSED:
                await connection.execute(statement, UUID(name.partition("/")[2]), days)
        finally:
            await connection.close()


def of_station(station: str) -> intakes.CreateIntakeRequest:
    return intakes.CreateIntakeRequest(intake=intakes.Intake(station=station))


async def furnished(hearing: Hearing, mandate: str, station: str = "", unit: str = "") -> dict[str, str]:
    """An entry of every kind, by the word that isolation knows it by; all of the delegate, the station and its unit."""
    at = station or await hearing.station(await hearing.unit(60), STATION)
    intake: intakes.Intake = await hearing.insist("CreateIntake", of_station(at))
    reception = intakes.Reception(station=intake.station, mandates=[mandate], people_received=12)
    received = await hearing.insist("CreateReception", intakes.CreateReceptionRequest(reception=reception))
    route = handling.Route(category=pb.OPINION_CATEGORY_CULTURE, undertakers=UNDERTAKERS)
    said = {"reception": received.name, "channel": RECEPTION, "mandate": mandate}
    opinion = await hearing.routed(**said)
    same, _like = await hearing.opinion(**said), await hearing.opinion(**said)
    await hearing.merge_opinions(opinion, same.name)
    await hearing.handle("Answer", opinion, content="已修好")
    nomination = nominations.Nomination(nominated=opinion, title="加装电梯", unit=unit, year=2030)
    nominated = nominations.CreateNominationRequest(nomination=nomination)
    return {
        "opinion": opinion,
        "nomination": (await hearing.hear("CreateNomination", nominated)).name,
        "reception": received.name,
        "intake": intake.name,
        "route": (await hearing.hear("CreateRoute", handling.CreateRouteRequest(route=route))).name,
        "delegate proposal": await hearing.answered_proposal(mandate, unit=unit),
    }


async def heard(office: Office) -> dict[str, str]:
    """An opinion of every kind that the contract's cases speak of."""
    hearing = Hearing(office.tenant)
    intake = await hearing.intake()
    route = handling.Route(category=pb.OPINION_CATEGORY_CULTURE, undertakers=UNDERTAKERS)
    term = await hearing.term(await hearing.assembly(await hearing.unit(61)))
    mandate = await hearing.active(term)
    reception = intakes.Reception(station=intake.station, mandates=[mandate], people_received=12)
    received = await hearing.insist("CreateReception", intakes.CreateReceptionRequest(reception=reception))
    return {
        "said_opinion": (await hearing.opinion(contact=pb.Contact(phone="13900000000"))).name,
        "routed": await hearing.routed(),
        "answered": await hearing.answered(),
        "intake": intake.name,
        "intake_station": intake.station,
        "receiving_mandate": mandate,
        "held_reception": received.name,
        "handed_in": (await hearing.proposal(mandate)).name,
        "answered_proposal": await hearing.answered_proposal(mandate),
        "leading_route": (await hearing.hear("CreateRoute", handling.CreateRouteRequest(route=route))).name,
    }
