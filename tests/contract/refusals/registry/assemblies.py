"""Assemblies and their terms."""

from quanyutong.registry.v1 import assemblies_pb2
from tests.contract.office import NOBODY, TOWNSHIP_CONGRESS, Office, in_days
from tests.contract.refusals import refused_with


@refused_with("UNIT_NOT_FOUND")
async def assembly_of_another_districts_unit(office: Office) -> None:
    await office.assembly("units/500102001")


@refused_with("RULE_NOT_FOUND")
async def term_before_the_rule_on_its_length(office: Office) -> None:
    await office.open_term(await office.assembly(), start="2014-12-31")


@refused_with("ASSEMBLY_NOT_FOUND")
async def assembly_that_is_not_there(office: Office) -> None:
    await office.call("GetAssembly", assemblies_pb2.GetAssemblyRequest(name=f"assemblies/{NOBODY}"))


@refused_with("ASSEMBLY_NOT_FOUND")
async def terms_of_no_assembly(office: Office) -> None:
    await office.call("ListTerms", assemblies_pb2.ListTermsRequest(parent=f"assemblies/{NOBODY}"))


@refused_with("ASSEMBLY_NOT_FOUND")
async def term_of_no_assembly(office: Office) -> None:
    await office.open_term(f"assemblies/{NOBODY}")


@refused_with("ASSEMBLY_EXISTS")
async def second_assembly_of_a_unit(office: Office) -> None:
    unit = await office.unit()
    await office.assembly(unit)
    await office.assembly(unit)


@refused_with("ASSEMBLY_UNIT_REFUSED")
async def congress_of_a_subdistrict(office: Office) -> None:
    await office.assembly(await office.unit(), TOWNSHIP_CONGRESS)


@refused_with("ASSEMBLY_UNIT_REFUSED")
async def subdistrict_assembly_of_no_subdistrict(office: Office) -> None:
    await office.assembly("")


@refused_with("TERM_NOT_FOUND")
async def term_that_is_not_there(office: Office) -> None:
    await office.call("GetTerm", assemblies_pb2.GetTermRequest(name=f"{await office.assembly()}/terms/9"))


@refused_with("TERM_EXISTS")
async def term_with_a_number_that_is_taken(office: Office) -> None:
    assembly = await office.assembly()
    await office.open_term(assembly, 1, "2016-01-01")
    await office.open_term(assembly, 1, "2024-01-01")


@refused_with("TERM_DATES_REFUSED")
async def term_of_no_day(office: Office) -> None:
    await office.open_term(await office.assembly(), start=in_days(0), end=in_days(0))


@refused_with("TERM_OVERLAPS")
async def term_within_another(office: Office) -> None:
    assembly = await office.assembly()
    await office.open_term(assembly, 1, "2024-01-01")
    await office.open_term(assembly, 2, "2025-01-01")


@refused_with("TERM_NOT_OVER")
async def change_of_term_on_its_last_day(office: Office) -> None:
    term = await office.open_term(await office.assembly(), start=in_days(-9), end=in_days(1))
    await office.change_term(term.name, 2, in_days(1))


@refused_with("TERM_OVERLAPS")
async def next_term_that_begins_before_the_end(office: Office) -> None:
    term = await office.open_term(await office.assembly(), start=in_days(-9), end=in_days(0))
    await office.change_term(term.name, 2, in_days(-1))
