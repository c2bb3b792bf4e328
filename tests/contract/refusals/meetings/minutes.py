"""Minutes and their signatures."""

from quanyutong.meetings.v1 import minutes_pb2
from tests.contract.office import Office, mask
from tests.contract.refusals import refused_with
from tests.meetings.papers import CHAIR, SECRETARY, generate, over, read, sign, token_of
from tests.meetings.secretariat import Secretariat

NOWHERE = "meetings/00000000-0000-7000-8000-000000000000"


async def drafted(office: Office) -> tuple[Secretariat, str]:
    secretariat = Secretariat(office.tenant)
    meeting = await over(secretariat)
    await generate(secretariat, meeting)
    return secretariat, meeting


@refused_with("MINUTES_NOT_FOUND")
async def minutes_that_are_not_there(office: Office) -> None:
    await read(Secretariat(office.tenant), NOWHERE)


@refused_with("MINUTES_EDITED")
async def generated_over_what_somebody_wrote(office: Office) -> None:
    secretariat, meeting = await drafted(office)
    written = minutes_pb2.Minutes(name=f"{meeting}/minutes", remarks=["补充"])
    request = minutes_pb2.UpdateMinutesRequest(minutes=written, update_mask=mask("remarks"))
    await secretariat.meet("UpdateMinutes", request)
    await generate(secretariat, meeting)


@refused_with("MINUTES_STATE_REFUSED")
async def withdrawing_a_signature_that_nobody_gave(office: Office) -> None:
    secretariat, meeting = await drafted(office)
    request = minutes_pb2.ReturnMinutesRequest(name=f"{meeting}/minutes", reason="有误")
    await secretariat.meet("ReturnMinutes", request)


@refused_with("SIGNERS_REFUSED")
async def chair_and_secretary_are_one(office: Office) -> None:
    secretariat = Secretariat(office.tenant)
    await generate(secretariat, await over(secretariat), secretary=minutes_pb2.Signer(display_name="陈主任"))


@refused_with("SIGNER_REFUSED")
async def signing_for_who_has_a_seat(office: Office) -> None:
    secretariat = Secretariat(office.tenant)
    meeting = await over(secretariat)
    (chair,) = await secretariat.roll(meeting)
    await sign(secretariat, (await generate(secretariat, meeting, chair.name)).name, CHAIR)


@refused_with("ONE_SIGNER")
async def one_account_for_both(office: Office) -> None:
    secretariat, meeting = await drafted(office)
    await sign(secretariat, f"{meeting}/minutes", CHAIR)
    await sign(secretariat, f"{meeting}/minutes", SECRETARY)


@refused_with("SIGNED_ALREADY")
async def signing_twice(office: Office) -> None:
    secretariat, meeting = await drafted(office)
    await sign(secretariat, f"{meeting}/minutes", CHAIR)
    await sign(secretariat, f"{meeting}/minutes", CHAIR, "office")


@refused_with("READER_REFUSED")
async def reading_what_one_was_not_invited_to(office: Office) -> None:
    secretariat, meeting = await drafted(office)
    stranger = token_of(secretariat, "persons/00000000-0000-7000-8000-000000000000", "delegate")
    request = minutes_pb2.GetMinutesRequest(name=f"{meeting}/minutes")
    await office.tenant.meetings.GetMinutes(request, metadata=stranger)
