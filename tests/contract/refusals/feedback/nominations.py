"""What is nominated as a livelihood project."""

from typing import Any

from quanyutong.feedback.v1 import nominations_pb2 as pb
from tests.contract.office import NOBODY, Office
from tests.contract.refusals import refused_with
from tests.feedback.hearing import Hearing


async def nominate(office: Office, nominated: str, **fields: Any) -> None:
    given: dict[str, Any] = {"title": "加装电梯", "year": 2030}
    nomination = pb.Nomination(nominated=nominated, **(given | fields))
    await office.hear("CreateNomination", pb.CreateNominationRequest(nomination=nomination))


@refused_with("NOMINATED_ALREADY")
async def nominated_twice(office: Office) -> None:
    name = (await Hearing(office.tenant).opinion()).name
    for year in (2030, 2031):
        await nominate(office, name, year=year)


@refused_with("CONTACT_REFUSED")
async def nominated_with_a_telephone_number(office: Office) -> None:
    await nominate(office, f"opinions/{NOBODY}", description="联系 139 0000 0000")


@refused_with("NOMINATION_NOT_FOUND")
async def nomination_that_is_not_there(office: Office) -> None:
    await office.hear("GetNomination", pb.GetNominationRequest(name=f"nominations/{NOBODY}"))
