"""The city: its numbers on a map and in a table, live, and the lists of what is overdue and late."""

import json
import time
from collections.abc import AsyncIterator
from datetime import date
from typing import Any

from google.type.date_pb2 import Date
from starlette.responses import Response, StreamingResponse

from gateway.console import figures
from gateway.console.backend import Refused
from gateway.console.page import ROWS, Page, Wrong
from gateway.console.words import today

FIRST = "INDICATOR_ASSEMBLIES"
FORMATS = ("XLSX", "CSV", "PARQUET")
YEARS_SHOWN = 2
YEARS_LINKED = 4


async def overview(page: Page) -> Response:
    """The map coloured by one figure, the table beside it, and all figures of the city."""
    indicator, month = asked(page), month_of(page)
    answer = await page.ask("municipal.GetCityOverview", month=month)
    rows = figures.coloured(page.speech, names(page), answer.districts, indicator)
    since = Date(year=answer.month.year - YEARS_SHOWN, month=answer.month.month, day=1)
    series = await page.ask("municipal.GetCityTimeSeries", indicator=indicator, from_month=since, to_month=answer.month)
    return page.show(
        "city.html",
        title=page.say("全市总览", "The city"),
        answer=answer,
        map=figures.MAP,
        rows=rows,
        of_district={row["district"]: row for row in rows},
        chosen=figures.KINDS.values_by_number[indicator].name,
        chosen_word=page.speech.value(figures.KINDS, indicator),
        indicators=page.speech.choices(figures.KINDS),
        city=figures.figure(page.speech, figures.of(answer.measures, indicator)),
        measures=[
            (page.speech.value(figures.KINDS, each.indicator), figures.figure(page.speech, each), each)
            for each in answer.measures
        ],
        levels=range(figures.LEVELS + 1),
        chart=figures.line(page.speech, series.points),
        formats=FORMATS,
        years=range(today().year - YEARS_LINKED, today().year),
        live=month is None,
    )


def names(page: Page) -> dict[str, str]:
    """The city's districts by their codes."""
    return {entry.code: entry.name for entry in page.console.directory.entries.values()}


async def live(page: Page) -> Response:
    """Server-sent events: the map anew after each change, until the login ends."""
    indicator = asked(page)
    changes = page.follow("municipal.WatchOverview")
    return StreamingResponse(
        _told(page, indicator, changes), media_type="text/event-stream", headers={"cache-control": "no-store"}
    )


async def _told(page: Page, indicator: int, changes: AsyncIterator[Any]) -> AsyncIterator[str]:
    columns: dict[str, Any] = {}
    try:
        async for change in changes:
            if change.complete:
                columns = {}
            columns |= {column.district: column for column in change.districts}
            content = {
                "city": figures.figure(page.speech, figures.of(change.measures, indicator)).text,
                "rows": figures.coloured(page.speech, names(page), columns.values(), indicator),
                "time": page.speech.moment(max((each.time for each in change.as_of), key=lambda at: at.seconds))
                if change.as_of
                else "",
            }
            yield f"data: {json.dumps(content, ensure_ascii=False)}\n\n"
            if page.session.caller.expires < time.time():
                return
    except Refused as refused:
        yield f"event: refused\ndata: {json.dumps(refused.text, ensure_ascii=False)}\n\n"


async def export(page: Page) -> Response:
    """The overview as a file."""
    name = page.asked("format")
    if name not in FORMATS:
        raise Wrong(400, page.say(f"没有 {name} 格式。", f"There is no format {name}."))
    parts = page.follow("municipal.ExportOverview", format=f"TABLE_FORMAT_{name}", month=month_of(page))
    first = await anext(parts)

    async def content() -> AsyncIterator[bytes]:
        yield first.data
        async for part in parts:
            yield part.data

    disposition = f'attachment; filename="overview.{name.lower()}"'
    return StreamingResponse(content(), media_type=first.content_type, headers={"content-disposition": disposition})


async def overdue(page: Page) -> Response:
    """Obligations that are overdue, in all districts."""
    answer = await page.ask("municipal.ListOverdueObligations", page_size=ROWS, page_token=page.asked("page"))
    rows = answer.overdue_obligations
    return page.show(
        "city_overdue.html",
        title=page.say("逾期未开的会议", "Overdue obligations"),
        rows=rows,
        names=page.console.directory.entries,
        units=await _units(page, {row.district for row in rows}),
        more=answer.next_page_token,
    )


async def late(page: Page) -> Response:
    """Livelihood projects that are late, in all districts."""
    answer = await page.ask("municipal.ListLateProjects", page_size=ROWS, page_token=page.asked("page"))
    rows = answer.late_projects
    return page.show(
        "city_late.html",
        title=page.say("逾期的民生实事项目", "Late livelihood projects"),
        rows=rows,
        names=page.console.directory.entries,
        units=await _units(page, {row.district for row in rows}),
        more=answer.next_page_token,
    )


async def undertakers(page: Page) -> Response:
    """How undertakers handle what they are given."""
    this = today()
    answer = await page.ask(
        "municipal.ListUndertakers",
        from_month=Date(year=this.year - 1, month=this.month, day=1),
        to_month=Date(year=this.year, month=this.month, day=1),
        page_size=ROWS,
        page_token=page.asked("page"),
    )
    return page.show(
        "city_undertakers.html",
        title=page.say("承办单位评价", "Undertakers"),
        rows=answer.undertakers,
        names=page.console.directory.entries,
        more=answer.next_page_token,
    )


async def _units(page: Page, districts: set[str]) -> dict[str, str]:
    """The names of the units of some districts."""
    found: dict[str, str] = {}
    for district in sorted(districts):
        token = ""
        while True:
            answer = await page.ask_in(
                district.rpartition("/")[2], "registry.ListUnits", page_size=500, page_token=token
            )
            found |= {each.name: each.display_name for each in answer.units}
            token = answer.next_page_token
            if not token:
                break
    return found


def asked(page: Page) -> int:
    """The indicator that the address names."""
    name = page.asked_value("indicator", figures.KINDS)
    return int(figures.KINDS.values_by_name[name].number or figures.KINDS.values_by_name[FIRST].number)


def month_of(page: Page) -> Date | None:
    """The month that the address names; None for the current one."""
    text = page.asked("month")
    if not text:
        return None
    try:
        found = date.fromisoformat(f"{text}-01")
    except ValueError:
        raise Wrong(400, page.say("月份的写法是 2023-12。", "A month is written like 2023-12.")) from None
    return Date(year=found.year, month=found.month, day=1)
