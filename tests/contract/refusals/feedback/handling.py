"""Handling, routes, receptions and intakes."""

import asyncio

from chassis import clock
from quanyutong.feedback.v1 import handling_pb2 as handling
from quanyutong.feedback.v1 import intakes_pb2 as intakes
from quanyutong.feedback.v1 import opinions_pb2 as pb
from services.feedback import places
from tests.contract.office import NOBODY, Office, on
from tests.contract.refusals import refused_with
from tests.feedback.hearing import UNDERTAKERS, Hearing
from tests.harness import until


@refused_with("OPINION_STATE_REFUSED")
async def answered_before_it_was_acknowledged(office: Office) -> None:
    hearing = Hearing(office.tenant)
    await hearing.handle("Answer", (await hearing.opinion()).name, content="答")


@refused_with("OPINION_PAUSED")
async def answered_while_it_is_paused(office: Office) -> None:
    hearing = Hearing(office.tenant)
    name = await hearing.routed()
    await hearing.handle("Pause", name, reason="待论证", consent="提出人同意")
    await hearing.handle("Answer", name, content="答")


@refused_with("OPINION_NOT_PAUSED")
async def resumed_without_a_pause(office: Office) -> None:
    hearing = Hearing(office.tenant)
    await hearing.handle("Resume", await hearing.routed())


@refused_with("UNDERTAKERS_REFUSED")
async def answered_by_somebody_else(office: Office) -> None:
    hearing = Hearing(office.tenant)
    await hearing.handle("Answer", await hearing.routed(), content="答", undertaker="区教委")


@refused_with("ROUTE_MISSING")
async def routed_by_nothing(office: Office) -> None:
    hearing = Hearing(office.tenant)
    await hearing.handle("Route", await hearing.acknowledged())


@refused_with("ROUTE_NOT_FOUND")
async def removing_a_route_that_is_not_there(office: Office) -> None:
    await office.hear("RemoveRoute", handling.RemoveRouteRequest(name=f"routes/{NOBODY}"))


@refused_with("ROUTE_EXISTS")
async def route_twice(office: Office) -> None:
    route = handling.Route(category=pb.OPINION_CATEGORY_HEALTH, undertakers=UNDERTAKERS)
    for _ in range(2):
        await office.hear("CreateRoute", handling.CreateRouteRequest(route=route))


@refused_with("REVIEW_DATE_REFUSED")
async def looked_at_again_today(office: Office) -> None:
    hearing = Hearing(office.tenant)
    await hearing.handle("Defer", await hearing.routed(), reason="缓", review_date=on(clock.today()))


@refused_with("TIME_IS_OVER")
async def returned_too_late(office: Office) -> None:
    hearing = Hearing(office.tenant)
    name = await hearing.routed()
    await hearing.elapse(name, 30)
    await hearing.handle("Return", name, reason="不属本单位")


@refused_with("TIME_IS_OVER")
async def paused_when_it_is_overdue(office: Office) -> None:
    hearing = Hearing(office.tenant)
    name = await hearing.routed()
    await hearing.elapse(name, 30)
    await hearing.handle("Pause", name, reason="待论证", consent="提出人同意")


@refused_with("JUDGEMENT_AWAITED")
async def closed_before_it_could_be_judged(office: Office) -> None:
    hearing = Hearing(office.tenant)
    await hearing.handle("Close", await hearing.answered())


@refused_with("RECEPTION_NOT_FOUND")
async def reception_that_is_not_there(office: Office) -> None:
    await office.hear("GetReception", intakes.GetReceptionRequest(name=f"receptions/{NOBODY}"))


@refused_with("INTAKE_NOT_FOUND")
async def intake_that_is_not_there(office: Office) -> None:
    await office.hear("RevokeIntake", intakes.RevokeIntakeRequest(name=f"intakes/{NOBODY}"))


@refused_with("INTAKE_REVOKED")
async def another_address_for_what_was_revoked(office: Office) -> None:
    intake = await Hearing(office.tenant).intake()
    await office.hear("RevokeIntake", intakes.RevokeIntakeRequest(name=intake.name))
    await office.hear("RotateIntake", intakes.RotateIntakeRequest(name=intake.name))


@refused_with("INTAKE_FULL")
async def one_too_many_in_a_day(office: Office) -> None:
    hearing = Hearing(office.tenant)
    intake = await hearing.intake()
    await hearing.take_at_most(intake, 1)
    await hearing.anonymously("SubmitOpinion", hearing.submission(intake))


@refused_with("INTAKE_REPEATED")
async def the_same_words_again_and_again(office: Office) -> None:
    hearing = Hearing(office.tenant)
    intake = await hearing.intake()
    await office.override("1", rule="rules/stations_and_voice.intake_same_a_day")

    async def repeated() -> None:
        await hearing.anonymously("SubmitOpinion", hearing.submission(intake))

    await until(repeated)


@refused_with("INTAKE_BUSY")
async def one_too_many_at_once(office: Office) -> None:
    hearing = Hearing(office.tenant)
    async with hearing.waiting(await hearing.intake(), places.WAITING + 2) as calls:
        done, _ = await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
    await done.pop()
