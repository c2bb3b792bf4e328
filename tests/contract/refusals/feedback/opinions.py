"""Opinions."""

from datetime import timedelta

from chassis import clock
from quanyutong.feedback.v1 import opinions_pb2 as pb
from tests.contract.office import NOBODY, Office, on
from tests.contract.refusals import refused_with
from tests.feedback.hearing import DELEGATE, RECEPTION, Hearing


async def enter(office: Office, *roles: str, **fields: object) -> None:
    said = Hearing(office.tenant).said(**fields)  # type: ignore[arg-type]
    await office.hear("CreateOpinion", pb.CreateOpinionRequest(opinion=said), *roles)


@refused_with("OPINION_NOT_FOUND")
async def opinion_that_is_not_there(office: Office) -> None:
    await office.hear("GetOpinion", pb.GetOpinionRequest(name=f"opinions/{NOBODY}"))


@refused_with("STATION_NOT_FOUND")
async def opinion_at_no_station(office: Office) -> None:
    await enter(office, channel=RECEPTION, station=f"stations/{NOBODY}")


@refused_with("MANDATE_NOT_FOUND")
async def opinion_by_nobody(office: Office) -> None:
    await enter(office, channel=DELEGATE, mandate=f"mandates/{NOBODY}")


@refused_with("MANDATE_NOT_YOURS")
async def delegate_for_another(office: Office) -> None:
    await enter(office, "delegate", channel=pb.OPINION_CHANNEL_ONLINE)


@refused_with("CHANNEL_REFUSED")
async def by_a_delegate_without_one(office: Office) -> None:
    await enter(office, channel=DELEGATE)


@refused_with("CHANNEL_REFUSED")
async def as_if_it_came_at_an_address(office: Office) -> None:
    await enter(office, channel=pb.OPINION_CHANNEL_INTAKE)


@refused_with("DAY_REFUSED")
async def said_tomorrow(office: Office) -> None:
    await enter(office, receive_date=on(clock.today() + timedelta(1)))


@refused_with("UNIT_REFUSED")
async def of_another_district(office: Office) -> None:
    await enter(office, unit="units/100000001")
