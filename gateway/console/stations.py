"""Stations, and the addresses behind their QR codes."""

from typing import Any

import segno
from starlette.responses import Response

from gateway.console.district import units
from gateway.console.guard import scheme
from gateway.console.page import ROWS, Page, Wrong, refused_before

STEPS = {"create": "feedback.CreateIntake", "rotate": "feedback.RotateIntake", "revoke": "feedback.RevokeIntake"}


async def several(page: Page) -> Response:
    """The stations of the district; for clerks with the state of their addresses."""
    answer = await page.ask("registry.ListStations", page_size=ROWS, page_token=page.asked("page"))
    intakes: dict[str, Any] = {}
    if page.has_role("clerk", "administrator"):
        intakes = {each.station: each for each in await page.everything("feedback.ListIntakes", "intakes")}
    address = getattr(page.request.state, "address", "")
    return page.show(
        "stations.html",
        title=page.say("代表家站点", "Stations"),
        stations=answer.stations,
        units=await units(page),
        intakes=intakes,
        keeps=page.has_role("clerk", "administrator"),
        more=answer.next_page_token,
        address=address,
        code=segno.make(address, error="m").svg_data_uri(scale=6) if address else "",
        of_station=getattr(page.request.state, "station", ""),
        **refused_before(page),
    )


async def step(page: Page, given: dict[str, str]) -> Response:
    """Gives a station an address, another one, or none. An address is shown once: no table holds it."""
    rpc = STEPS.get(given.get("step", ""))
    if rpc is None:
        raise Wrong(400, page.say("没有这一步。", "There is no such step."))
    once = given.get("request_id", "")
    if rpc == STEPS["create"]:
        intake = await page.ask(rpc, intake={"station": given.get("station", "")}, request_id=once)
    else:
        intake = await page.ask(rpc, name=given.get("intake", ""), request_id=once)
    if not intake.address:
        return page.go(page.request.url.path)
    # The REST path of the address and its page share district and secret.
    district, secret = intake.address.removeprefix("/v1/intakes/").removesuffix(":submit").split("/")
    public = page.console.settings.console_url or f"{scheme(page.request.headers)}://{page.request.headers['host']}"
    page.request.state.address = f"{public.rstrip('/')}/i/{district}/{secret}"
    page.request.state.station = intake.station
    return await several(page)
