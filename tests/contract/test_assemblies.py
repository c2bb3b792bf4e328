"""Assemblies (会议主体) and their terms (届)."""

from datetime import date

from quanyutong.registry.v1 import assemblies_pb2 as pb
from tests.contract.office import CONGRESS, SUBDISTRICT_ASSEMBLY, TOWN, TOWNSHIP_CONGRESS, Office, mask, on
from tests.harness import refused


async def test_a_unit_has_one_assembly(office: Office) -> None:
    unit = await office.unit()
    name = await office.assembly(unit)
    read = await office.call("GetAssembly", pb.GetAssemblyRequest(name=name))
    assert (read.name, read.kind, read.unit, read.etag) == (name, SUBDISTRICT_ASSEMBLY, unit, '"1"')
    assert read.HasField("create_time")
    assert await refused(office.assembly(unit)) == "ERROR_REASON_ASSEMBLY_EXISTS"


async def test_a_district_has_one_congress_and_each_town_its_own(office: Office) -> None:
    await office.congress()
    assert await refused(office.congress()) == "ERROR_REASON_ASSEMBLY_EXISTS"
    for number in (2, 3):
        await office.assembly(await office.unit(number, TOWN), TOWNSHIP_CONGRESS)


async def test_list_narrows_by_kind_and_unit(office: Office) -> None:
    town = await office.unit(2, TOWN)
    congress, of_town, of_subdistrict = (
        await office.congress(),
        await office.assembly(town, TOWNSHIP_CONGRESS),
        await office.assembly(),
    )

    async def names(**filters: object) -> list[str]:
        answer = await office.call("ListAssemblies", pb.ListAssembliesRequest(**filters))  # type: ignore[arg-type]
        return [assembly.name for assembly in answer.assemblies]

    assert await names() == [congress, of_town, of_subdistrict]
    assert await names(kind=CONGRESS) == [congress]
    assert await names(unit=town) == [of_town]
    assert await names(unit=town, kind=CONGRESS) == []


async def test_update_changes_the_name_alone(office: Office) -> None:
    name = await office.assembly()
    given = pb.Assembly(name=name, kind=CONGRESS, display_name="新名称", etag='"1"')
    request = pb.UpdateAssemblyRequest(assembly=given, update_mask=mask("display_name"))
    saved = await office.call("UpdateAssembly", request)
    assert (saved.display_name, saved.kind, saved.etag) == ("新名称", SUBDISTRICT_ASSEMBLY, '"2"')
    assert await office.call("GetAssembly", pb.GetAssemblyRequest(name=name)) == saved
    assert await refused(office.call("UpdateAssembly", request)) == "ERROR_REASON_ETAG_MISMATCH"
    for refused_mask in (mask("kind"), mask("display_name", "unit"), mask(), mask("displayName"), mask("")):
        request = pb.UpdateAssemblyRequest(assembly=given, update_mask=refused_mask)
        assert await refused(office.call("UpdateAssembly", request)) == "ERROR_REASON_FIELD_MASK_INVALID"


async def test_update_names_its_assembly(office: Office) -> None:
    given = pb.Assembly(kind=CONGRESS, display_name="新名称")
    request = pb.UpdateAssemblyRequest(assembly=given, update_mask=mask("*"))
    assert await refused(office.call("UpdateAssembly", request)) == "ERROR_REASON_FIELD_INVALID"


async def test_term_ends_by_the_rule_unless_told(office: Office) -> None:
    assembly = await office.assembly()
    by_rule = await office.open_term(assembly, 1, "2020-02-29")
    assert (by_rule.end_date, by_rule.rule_version) == (on("2025-02-28"), "subdistrict_assembly.term@2015-01-01")
    told = await office.open_term(assembly, 2, "2025-02-28", date(2025, 3, 1))
    assert (told.end_date, told.rule_version) == (on("2025-03-01"), "")
    assert await office.call("GetTerm", pb.GetTermRequest(name=f"{assembly}/terms/2")) == told


async def test_term_of_a_congress_has_its_own_rule(office: Office) -> None:
    opened = await office.open_term(await office.congress(), 19, "2010-01-01")
    assert (opened.number, opened.rule_version) == (19, "congress.term@2005-01-01")


async def test_terms_follow_each_other_without_overlap(office: Office) -> None:
    assembly = await office.assembly()
    await office.open_term(assembly, 2, "2020-01-01", date(2021, 1, 1))
    for start, end in (("2019-01-01", date(2020, 1, 2)), ("2020-12-31", date(2022, 1, 1)), ("2020-02-01", None)):
        assert await refused(office.open_term(assembly, 3, start, end)) == "ERROR_REASON_TERM_OVERLAPS"
    await office.open_term(assembly, 3, "2021-01-01", date(2022, 1, 1))
    await office.open_term(assembly, 1, "2019-01-01", date(2020, 1, 1))
    answer = await office.call("ListTerms", pb.ListTermsRequest(parent=assembly))
    assert [term.number for term in answer.terms] == [1, 2, 3]


async def test_term_beyond_the_calendar_is_refused(office: Office) -> None:
    assembly = await office.assembly()
    assert await refused(office.open_term(assembly, start="9998-01-01")) == "ERROR_REASON_FIELD_INVALID"
