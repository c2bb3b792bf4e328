"""A district: its numbers beside the city's means, what is coming, and what it owes."""

from datetime import timedelta

from google.type.date_pb2 import Date
from starlette.responses import Response

from gateway.console import figures
from gateway.console.backend import enum
from gateway.console.city import YEARS_SHOWN, asked, month_of
from gateway.console.page import ROWS, Page
from gateway.console.words import today

UPCOMING = 8
READERS = ("clerk", "examiner", "administrator", "delegate", "viewer", "overseer")


async def overview(page: Page) -> Response:
    """The district's own column, the city's means, and its next meetings."""
    indicator = asked(page)
    answer = await page.attempt("municipal.GetDistrictOverview", month=month_of(page))
    summary = await page.ask("registry.GetSummary")
    this = today()
    meetings = await page.ask(
        "meetings.ListMeetings",
        from_date=_date(this - timedelta(days=1)),
        to_date=_date(this + timedelta(days=120)),
        page_size=UPCOMING,
    )
    chart = None
    if answer:
        series = await page.ask(
            "municipal.GetDistrictTimeSeries",
            indicator=indicator,
            from_month=Date(year=answer.month.year - YEARS_SHOWN, month=answer.month.month, day=1),
            to_month=answer.month,
        )
        chart = figures.line(page.speech, series.points)
    averages = {each.indicator: each.value for each in answer.averages} if answer else {}
    return page.show(
        "district.html",
        title=page.district_name,
        answer=answer,
        summary=summary,
        meetings=meetings.meetings,
        measures=[
            (
                figures.KINDS.values_by_number[each.indicator].name,
                page.speech.value(figures.KINDS, each.indicator),
                figures.figure(page.speech, each).text,
                _mean(page, each, averages.get(each.indicator)),
            )
            for each in (answer.column.measures if answer else ())
        ],
        chart=chart,
        chosen=page.speech.value(figures.KINDS, indicator),
    )


async def obligations(page: Page) -> Response:
    """What the bodies of the district owe in a year, and what is overdue."""
    kinds, states = enum("meetings.v1.ObligationKind"), enum("meetings.v1.ObligationState")
    year = int(page.asked("year")) if page.asked("year").isdecimal() and len(page.asked("year")) == 4 else today().year
    answer = await page.ask(
        "meetings.ListObligations",
        year=year,
        kind=page.asked_value("kind", kinds),
        state=page.asked_value("state", states),
        page_size=ROWS,
        page_token=page.asked("page"),
    )
    return page.show(
        "obligations.html",
        title=page.say("应开的会议", "Obligations"),
        rows=answer.obligations,
        bodies=await bodies(page),
        more=answer.next_page_token,
        year=year,
        kinds=kinds,
        states=states,
    )


async def bodies(page: Page) -> dict[str, str]:
    """The names of assemblies and stations, by their resource names; none for those who may not read the register."""
    if not page.has_role(*READERS):
        return {}
    assemblies = await page.everything("registry.ListAssemblies", "assemblies")
    stations = await page.everything("registry.ListStations", "stations")
    return {each.name: each.display_name for each in (*assemblies, *stations)}


async def units(page: Page) -> dict[str, str]:
    """The names of subdistricts and towns, by their resource names."""
    return {each.name: each.display_name for each in await page.everything("registry.ListUnits", "units")}


def _mean(page: Page, measure: object, value: float | None) -> str:
    """The city's mean as it is written beside the own figure; it is not told where few districts have one."""
    if value is None:
        return "—"
    name = figures.KINDS.values_by_number[measure.indicator].name  # type: ignore[attr-defined]
    share = measure.whole.most and name not in figures.DAYS  # type: ignore[attr-defined]
    return page.speech.percent(value, 1) if share else page.speech.number(value)


def _date(day: object) -> Date:
    return Date(year=day.year, month=day.month, day=day.day)  # type: ignore[attr-defined]
