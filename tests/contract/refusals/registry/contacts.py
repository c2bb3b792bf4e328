"""Fixed contacts of delegates."""

from quanyutong.registry.v1 import contacts_pb2
from tests.contract.office import NOBODY, Office
from tests.contract.refusals import refused_with


@refused_with("DUTY_NOT_FOUND")
async def end_of_no_contact(office: Office) -> None:
    await office.call("EndContact", contacts_pb2.EndContactRequest(name=f"contacts/{NOBODY}"))


@refused_with("MANDATE_NOT_ACTIVE")
async def contact_of_a_candidate(office: Office) -> None:
    await office.contact(await office.vetted(await office.term()), person=await office.person())


@refused_with("MANDATE_NOT_FOUND")
async def contact_of_nobody(office: Office) -> None:
    await office.contact(f"mandates/{NOBODY}", person=await office.person())


@refused_with("PERSON_NOT_FOUND")
async def contact_with_nobody(office: Office) -> None:
    await office.contact(await office.delegate(), person=f"persons/{NOBODY}")


@refused_with("UNIT_NOT_FOUND")
async def contact_with_a_group_of_another_district(office: Office) -> None:
    group = contacts_pb2.ResidentGroup(unit="units/500102001", description="第3网格")
    await office.contact(await office.delegate(), group=group)
