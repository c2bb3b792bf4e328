"""The city's directory of districts."""

from collections.abc import Awaitable, Callable
from uuid import uuid4

from quanyutong.registry.v1 import districts_pb2 as pb
from quanyutong.registry.v1 import mandates_pb2, units_pb2
from tests.contract.office import NOBODY, Office, Opening, in_days, mask, on
from tests.harness import CODES, refused, until


async def read(office: Office) -> pb.District:
    request = pb.GetDistrictRequest(name=f"districts/{office.district}")
    district: pb.District = await office.operate("GetDistrict", request)
    return district


async def update(office: Office, *paths: str, etag: str = "", **fields: object) -> pb.District:
    given = pb.District(name=f"districts/{office.district}", etag=etag)
    given.MergeFrom(pb.District(**{"display_name": "改名区", **fields}))  # type: ignore[arg-type]
    request = pb.UpdateDistrictRequest(district=given, update_mask=mask(*paths))
    saved: pb.District = await office.operate("UpdateDistrict", request)
    return saved


def calling(office: Office) -> Callable[[], Awaitable[str]]:
    """How a plain read of the district fares: OK, or the reason of its refusal."""

    async def call() -> str:
        try:
            return await refused(office.call("ListUnits", units_pb2.ListUnitsRequest()))
        except AssertionError:
            return "OK"

    return call


async def reaches(office: Office, outcome: str) -> None:
    """Every process hears of a change within a moment."""
    fares = calling(office)

    async def reached() -> bool:
        return await fares() == outcome

    await until(reached, 15)


async def test_the_citys_38_districts_are_there(office: Office) -> None:
    token, codes = "", list[str]()
    while not codes or token:
        answer = await office.operate("ListDistricts", pb.ListDistrictsRequest(page_size=20, page_token=token))
        codes += [district.name.removeprefix("districts/") for district in answer.districts]
        token = answer.next_page_token
    assert len([code for code in codes if code.startswith("500")]) == 38
    assert codes == sorted(codes)
    assert office.district in codes


async def test_any_caller_reads_the_directory(office: Office) -> None:
    request = pb.GetDistrictRequest(name="districts/500102")
    assert (await office.call("GetDistrict", request, "delegate")).display_name == "涪陵区"


async def test_limits_and_suspension_are_the_districts_own_affair(office: Office) -> None:
    """Others see that it exists, and its name."""
    await update(office, "calls_in_flight", calls_in_flight=88)
    request = pb.GetDistrictRequest(name=f"districts/{office.district}")
    other = office.tenant.platform.metadata(["administrator"], "500102")
    seen = await office.registry.GetDistrict(request, metadata=other)
    assert seen == pb.District(name=request.name, display_name=seen.display_name, etag=seen.etag)
    assert (await office.call("GetDistrict", request)).calls_in_flight == 88
    assert (await read(office)).calls_in_flight == 88


async def test_suspended_district_is_refused_until_it_is_resumed(office: Office) -> None:
    name = f"districts/{office.district}"
    suspended = await office.operate("SuspendDistrict", pb.SuspendDistrictRequest(name=name, reason="合同到期"))
    assert (suspended.suspended, suspended.suspension_reason, suspended.etag) == (True, "合同到期", '"2"')
    await reaches(office, "ERROR_REASON_DISTRICT_SUSPENDED")
    again = pb.SuspendDistrictRequest(name=name, reason="又一次")
    assert await refused(office.operate("SuspendDistrict", again)) == "ERROR_REASON_DISTRICT_STATE_REFUSED"
    stale = pb.ResumeDistrictRequest(name=name, etag='"1"')
    assert await refused(office.operate("ResumeDistrict", stale)) == "ERROR_REASON_ETAG_MISMATCH"
    resumed = await office.operate("ResumeDistrict", pb.ResumeDistrictRequest(name=name, etag='"2"'))
    assert (resumed.suspended, resumed.suspension_reason) == (False, "")
    await reaches(office, "OK")


async def test_update_changes_what_the_mask_names(office: Office) -> None:
    before = await read(office)
    saved = await update(office, "calls_per_second", calls_per_second=77, calls_in_flight=88)
    assert (saved.calls_per_second, saved.calls_in_flight, saved.display_name) == (77, 0, before.display_name)
    assert saved == await read(office)
    saved = await update(office, "display_name", "calls_in_flight", etag='"2"', calls_in_flight=88)
    assert (saved.calls_per_second, saved.calls_in_flight, saved.display_name) == (77, 88, "改名区")
    assert await refused(update(office, "display_name", etag='"2"')) == "ERROR_REASON_ETAG_MISMATCH"
    for path in ("suspended", "name", "valid_to", ""):
        assert await refused(update(office, path)) == "ERROR_REASON_FIELD_MASK_INVALID"


async def test_calls_in_flight_are_limited_for_one_district_alone(office: Office) -> None:
    """An open stream is a call in flight."""
    await update(office, "calls_in_flight", calls_in_flight=1)
    held = office.registry.RegisterMandates(metadata=office.tenant.metadata())
    opening = Opening(term=f"assemblies/{NOBODY}/terms/1", active_from=on("2024-01-01"), recommender="某单位")
    await held.write(mandates_pb2.RegisterMandatesRequest(opening=opening))
    try:
        await reaches(office, "ERROR_REASON_DISTRICT_BUSY")
        other = office.tenant.platform.metadata(["viewer"], "500102")
        await office.registry.ListUnits(units_pb2.ListUnitsRequest(), metadata=other)
    finally:
        held.cancel()
    await reaches(office, "OK")


async def test_district_of_the_future_is_not_there_yet(office: Office) -> None:
    code = next(CODES)
    district = pb.District(name=f"districts/{code}", display_name="未来区", valid_from=on(in_days(40)))
    created = await office.operate("CreateDistrict", pb.CreateDistrictRequest(district=district))
    assert (created.valid_from, created.etag) == (on(in_days(40)), '"1"')

    async def listed(days: int) -> bool:
        request = pb.ListDistrictsRequest(as_of=on(in_days(days)), page_size=500)
        return district.name in {found.name for found in (await office.operate("ListDistricts", request)).districts}

    assert (await listed(39), await listed(40)) == (False, True)
    metadata = office.tenant.platform.metadata(["viewer"], str(code))
    call = office.registry.ListUnits(units_pb2.ListUnitsRequest(), metadata=metadata)
    assert await refused(call) == "ERROR_REASON_DISTRICT_UNKNOWN"


async def test_repeated_suspension_has_the_effect_of_one(office: Office) -> None:
    name, request_id = f"districts/{office.district}", str(uuid4())
    request = pb.SuspendDistrictRequest(name=name, reason="合同到期", request_id=request_id)
    first = await office.operate("SuspendDistrict", request)
    await office.operate("ResumeDistrict", pb.ResumeDistrictRequest(name=name))
    assert await office.operate("SuspendDistrict", request) == first
    assert not (await read(office)).suspended
