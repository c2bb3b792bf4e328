"""Districts and their state."""

from quanyutong.registry.v1 import districts_pb2
from tests.contract.office import Office
from tests.contract.refusals import refused_with


@refused_with("DISTRICT_NOT_FOUND")
async def district_that_is_not_there(office: Office) -> None:
    await office.call("GetDistrict", districts_pb2.GetDistrictRequest(name="districts/599999"))


@refused_with("DISTRICT_NOT_FOUND")
async def suspension_of_a_district_that_is_not_there(office: Office) -> None:
    await office.operate(
        "SuspendDistrict", districts_pb2.SuspendDistrictRequest(name="districts/599999", reason="合同到期")
    )


@refused_with("DISTRICT_EXISTS")
async def district_twice(office: Office) -> None:
    district = districts_pb2.District(name="districts/500102", display_name="涪陵区")
    await office.operate("CreateDistrict", districts_pb2.CreateDistrictRequest(district=district))


@refused_with("DISTRICT_STATE_REFUSED")
async def resuming_what_is_not_suspended(office: Office) -> None:
    await office.operate("ResumeDistrict", districts_pb2.ResumeDistrictRequest(name=f"districts/{office.district}"))
