"""Many at once: registrations and imports."""

from quanyutong.registry.v1 import imports_pb2
from tests.contract.office import NOBODY, RESIDENT, Office, Row, new_people
from tests.contract.refusals import refused_with
from tests.contract.test_importing import importing, streaming


@refused_with("TERM_NOT_FOUND")
async def registration_for_no_term(office: Office) -> None:
    await office.register(f"assemblies/{NOBODY}/terms/1", new_people(1))


@refused_with("ASSEMBLY_FULL")
async def one_seat_too_many(office: Office) -> None:
    await office.register(await office.term(), new_people(101))


@refused_with("ROWS_REFUSED")
async def row_with_nobody(office: Office) -> None:
    await office.register(await office.term(), [Row(person=f"persons/{NOBODY}", capacity=RESIDENT)])


@refused_with("STREAM_OUT_OF_ORDER")
async def stream_of_nothing(office: Office) -> None:
    await office.stream([])


@refused_with("IMPORT_REFUSED")
async def import_of_nobody(office: Office) -> None:
    await importing(office, await office.term(), [imports_pb2.ImportRow()])


@refused_with("IMPORT_OUT_OF_ORDER")
async def import_of_nothing(office: Office) -> None:
    await streaming(office, [])
