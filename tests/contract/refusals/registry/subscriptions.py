"""Following a district's events."""

from typing import Any

from chassis.vault import Vault
from quanyutong.registry.v1 import subscriptions_pb2 as pb
from services.registry import cursors
from services.registry.subscribing import MOST
from tests.contract.office import Office
from tests.contract.refusals import refused_with


def watch(office: Office, **asked: Any) -> Any:
    request = pb.WatchEventsRequest(**asked)
    return office.registry.WatchEvents(request, metadata=office.tenant.metadata("administrator"), timeout=60)


@refused_with("EVENT_CURSOR_INVALID")
async def a_cursor_that_nobody_gave_out(office: Office) -> None:
    await watch(office, cursor="AAAA").read()


@refused_with("EVENT_CURSOR_TOO_OLD")
async def a_cursor_before_all_that_is_kept(office: Office) -> None:
    # As if what came after it had been kept for a while, and no longer.
    cursor = cursors.written(Vault.of(office.tenant.platform.settings), office.district, {"QYT_REGISTRY": -2})
    await watch(office, cursor=cursor).read()


@refused_with("EVENT_TYPE_REFUSED")
async def a_type_that_is_not_there(office: Office) -> None:
    await watch(office, types=["quanyutong.registry.v1.MandateConfirmd"]).read()


@refused_with("TOO_MANY_SUBSCRIBERS")
async def one_line_too_many(office: Office) -> None:
    calls = [watch(office) for _ in range(MOST)]
    try:
        for call in calls:
            await call.read()
        await watch(office).read()
    finally:
        for call in calls:
            call.cancel()
