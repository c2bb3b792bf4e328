"""Anybody says something at a station's address, and follows it by a secret code; and can do nothing else."""

from uuid import uuid4

from quanyutong.feedback.v1 import intakes_pb2 as intakes
from quanyutong.feedback.v1 import opinions_pb2 as pb
from quanyutong.registry.v1 import activities_pb2
from tests.feedback.hearing import UNDERTAKERS, Hearing, of_station
from tests.harness import refused, until

CLOSED, FULL = "ERROR_REASON_ADDRESS_NOT_FOUND", "ERROR_REASON_INTAKE_FULL"


async def test_said_at_an_address_and_followed_by_a_code(hearing: Hearing) -> None:
    intake = await hearing.intake()
    request = hearing.submission(intake, request_id=str(uuid4()), contact=pb.Contact(phone="13900000000"))
    told = await hearing.anonymously("SubmitOpinion", request)
    assert await hearing.anonymously("SubmitOpinion", request) == told
    assert await hearing.listed(channel=pb.OPINION_CHANNEL_INTAKE) == [told.opinion]
    await hearing.handle("Acknowledge", told.opinion)
    await hearing.handle("Route", told.opinion, undertakers=UNDERTAKERS)
    await hearing.handle("Answer", told.opinion, content="已加固")
    asked = intakes.GetStatusRequest(district=hearing.district, code=told.receipt)
    status = await hearing.anonymously("GetStatus", asked)
    assert (status.state, status.answers[0].content) == (pb.OPINION_STATE_ANSWERED, "已加固")
    judged = intakes.JudgeAnswerRequest(
        district=hearing.district, code=told.receipt, judgement=pb.JUDGEMENT_DISSATISFIED, reason="还在响"
    )
    assert (await hearing.anonymously("JudgeAnswer", judged)).state == pb.OPINION_STATE_REOPENED
    assert (await hearing.shown(told.opinion)).reopenings == 1


async def test_a_code_shows_nothing_of_others(hearing: Hearing) -> None:
    first, second = [await hearing.opinion(text) for text in ("甲说", "乙说")]
    asked = intakes.GetStatusRequest(district=hearing.district, code=first.receipt)
    status = await hearing.anonymously("GetStatus", asked)
    shown = str(status)
    assert second.name not in shown
    assert first.name not in shown
    wrong = intakes.GetStatusRequest(district=hearing.district, code="A" * 16)
    assert await refused(hearing.anonymously("GetStatus", wrong)) == CLOSED


async def test_what_was_revoked_or_rotated_opens_nothing(hearing: Hearing) -> None:
    intake = await hearing.intake()
    rotated = await hearing.hear("RotateIntake", intakes.RotateIntakeRequest(name=intake.name))
    assert await refused(hearing.anonymously("SubmitOpinion", hearing.submission(intake))) == CLOSED
    await hearing.anonymously("SubmitOpinion", hearing.submission(rotated))
    await hearing.hear("RevokeIntake", intakes.RevokeIntakeRequest(name=intake.name))
    assert await refused(hearing.anonymously("SubmitOpinion", hearing.submission(rotated))) == CLOSED
    kept = await hearing.hear("ListIntakes", intakes.ListIntakesRequest(show_revoked=True))
    assert [(each.name, each.address) for each in kept.intakes] == [(intake.name, "")]


async def test_an_address_takes_so_many_a_day(hearing: Hearing) -> None:
    intake = await hearing.intake()
    other = await hearing.hear("CreateIntake", of_station(intake.station))
    await hearing.take_at_most(intake, 2)
    assert len(await hearing.listed(station=intake.station)) >= 2
    assert await refused(hearing.anonymously("SubmitOpinion", hearing.submission(intake))) == FULL
    await hearing.anonymously("SubmitOpinion", hearing.submission(other))


async def test_a_reception_is_an_act_of_duty_with_its_opinions(hearing: Hearing) -> None:
    intake = await hearing.intake()
    mandate = await hearing.active(await hearing.term())
    reception = intakes.Reception(station=intake.station, mandates=[mandate], people_received=12)
    made = await hearing.insist("CreateReception", intakes.CreateReceptionRequest(reception=reception))
    entered = await hearing.opinion(channel=pb.OPINION_CHANNEL_RECEPTION, reception=made.name)
    assert entered.station == intake.station
    shown = await hearing.hear("GetReception", intakes.GetReceptionRequest(name=made.name))
    assert (shown.opinions, shown.people_received) == (1, 12)
    found = await hearing.hear("ListReceptions", intakes.ListReceptionsRequest(mandate=mandate))
    assert [each.name for each in found.receptions] == [made.name]
    raised = await hearing.opinion(channel=pb.OPINION_CHANNEL_DELEGATE, mandate=mandate)

    async def counted() -> bool:
        acts = await hearing.call("ListActivities", activities_pb2.ListActivitiesRequest(mandate=mandate))
        return {(each.source, each.people_received) for each in acts.activities} == {(made.name, 12), (raised.name, 0)}

    await until(counted)
