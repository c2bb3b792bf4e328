"""The city's pages: the map and its table change while they are looked at."""

from playwright.async_api import expect

from chassis import clock
from quanyutong.registry.v1 import assemblies_pb2, units_pb2
from tests.conftest import tenant_of
from tests.console.conftest import Visitors
from tests.contract.office import Office, on
from tests.docs.running import known
from tests.harness import Platform

DISTRICT = "500231"


async def test_the_map_changes_live(city: Platform, visitors: Visitors) -> None:
    await known(city, DISTRICT)
    async with tenant_of(city, "gateway", DISTRICT) as tenant:
        office = Office(tenant)
        overseer = await visitors.come(city, "overseer")
        page = await overseer.at("/console/city?indicator=INDICATOR_ASSEMBLIES")
        outline, row = page.locator(f"#d{DISTRICT}"), page.locator(f"#r{DISTRICT} td")
        await expect(page.locator("#map[data-updates]")).to_be_visible()
        before = await row.inner_text()
        unit = await first_free_unit(office)
        assembly = assemblies_pb2.Assembly(
            kind=assemblies_pb2.ASSEMBLY_KIND_SUBDISTRICT_ASSEMBLY, unit=unit, display_name="街道议事代表会议"
        )
        made = await office.call("CreateAssembly", assemblies_pb2.CreateAssemblyRequest(assembly=assembly))
        term = assemblies_pb2.Term(number=1, start_date=on(clock.today()))
        await office.call("OpenTerm", assemblies_pb2.OpenTermRequest(parent=made.name, term=term))
        await expect(row).not_to_have_text(before)
        await expect(outline).not_to_have_class("level-0")
        assert overseer.complaints == []


async def first_free_unit(office: Office) -> str:
    """A subdistrict of the district that has no assembly."""
    units = await office.call("ListUnits", units_pb2.ListUnitsRequest(kind=units_pb2.UNIT_KIND_SUBDISTRICT))
    taken = await office.call("ListAssemblies", assemblies_pb2.ListAssembliesRequest(page_size=500))
    free = [each.name for each in units.units if each.name not in {one.unit for one in taken.assemblies}]
    assert free
    return str(free[0])


async def test_every_page_of_the_city_is_there(city: Platform, visitors: Visitors) -> None:
    overseer = await visitors.come(city, "overseer")
    for path in ("/console/city?month=2023-12", "/console/city/overdue", "/console/city/late"):
        await overseer.at(path)
    for path in ("/console/city/undertakers", f"/console/districts/{DISTRICT}"):
        await overseer.at(path)
    page = await overseer.at("/console/city")
    async with page.expect_download() as started:
        await page.get_by_role("link", name="XLSX").click()
    assert (await started.value).suggested_filename == "overview.xlsx"
    await page.get_by_role("link", name="English").click()
    await expect(page.locator("h1")).to_contain_text("The city")
    await page.get_by_role("link", name="中文").click()
    await expect(page.locator("h1")).to_contain_text("全市总览")
    assert overseer.complaints == []
