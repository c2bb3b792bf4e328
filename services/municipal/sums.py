"""Sums over figures: what every answer of the service is made of. Their cost grows with districts, units and months."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import text

from chassis import clock
from chassis.database import ReadTx, Row
from chassis.sql import Sql
from chassis.wire import number, timestamp
from quanyutong.municipal.v1 import indicators_pb2 as pb
from services.municipal.domain import INDICATORS, Amount, Measure, Refused, Rule, first_of, following, measure_of, span

RULES: Sequence[Rule] = tuple(
    dict.fromkeys(rule for each in INDICATORS.values() for rule in (each.part, each.whole) if rule)
)
# Every rule a line for each of its facets. Facets of one rule never overlap, so that nothing is counted twice.
FOUND = """
    SELECT {by} AS of, r.rule, sum(c.value)::bigint AS value, count(*) FILTER (WHERE c.few) AS few,
           count(DISTINCT c.district || c.unit) FILTER (WHERE c.unit <> '' AND (c.value > 0 OR c.few)) AS units
    FROM unnest(CAST(:rules AS integer[]), CAST(:kinds AS text[]), CAST(:facets AS text[]), CAST(:since AS date[]),
                CAST(:until AS date[])) AS r (rule, kind, facet, since, until)
    JOIN cell c ON c.kind = r.kind AND c.month >= r.since AND c.month < r.until
        AND (r.facet = '' OR c.facet = r.facet OR starts_with(c.facet, r.facet || '/'))
    WHERE (CAST(:districts AS text[]) IS NULL OR c.district = ANY(CAST(:districts AS text[])))
    AND (:unit = '' OR c.unit = :unit)
    GROUP BY 1, 2
"""
BY_DISTRICT = Sql(text(FOUND.format(by="c.district")))
BY_MONTH = Sql(text(FOUND.format(by="c.month")))
# A district that has ended is still there for the months before.
DISTRICTS = Sql(
    text("""SELECT code, display_name FROM district
            WHERE (valid_to IS NULL OR valid_to > :month)
            AND EXISTS (SELECT FROM sheet WHERE sheet.district = district.code) ORDER BY code""")
)
LATEST = Sql(text("SELECT max(month) AS month FROM sheet WHERE service = 'registry'"))
AS_OF = Sql(
    text("""SELECT DISTINCT ON (service) service, told, told_at FROM sheet
            WHERE :district IN ('', district) ORDER BY service, told DESC""")
)


async def measures_by_district(
    tx: ReadTx, month: date, districts: Collection[str] | None = None
) -> Mapping[str, Mapping[str, Measure]]:
    """All indicators of these districts, or of all; of one that has told nothing they are 0."""
    spans = {rule: span(rule, month) for rule in RULES}
    amounts = await _amounts(tx, BY_DISTRICT, spans, districts, "")
    return defaultdict(lambda: _measures({}), {of: _measures(found) for of, found in amounts.items()})


async def series(
    tx: ReadTx, name: str, months: Sequence[date], districts: Collection[str] | None, unit: str
) -> list[Measure]:
    """One indicator, month by month: what happens in each month alone."""
    indicator = INDICATORS[name]
    spans = {rule: (months[0], following(months[-1])) for rule in (indicator.part, indicator.whole) if rule}
    amounts = await _amounts(tx, BY_MONTH, spans, districts, unit)
    return [measure_of(name, amounts.get(month, {})) for month in months]


async def _amounts(
    tx: ReadTx, sql: Sql, spans: Mapping[Rule, tuple[date, date]], districts: Collection[str] | None, unit: str
) -> dict[Any, dict[Rule, Amount]]:
    lines = [(RULES.index(rule), rule.kind, facet, *days) for rule, days in spans.items() for facet in rule.facets]
    rules, kinds, facets, since, until = (list(column) for column in zip(*lines, strict=True))
    asked = {"rules": rules, "kinds": kinds, "facets": facets, "since": since, "until": until}
    chosen = None if districts is None else sorted(districts)
    amounts: dict[Any, dict[Rule, Amount]] = defaultdict(dict)
    for row in await tx.all(sql, **asked, districts=chosen, unit=unit):
        amounts[row.of][RULES[row.rule]] = _amount(RULES[row.rule], row)
    return amounts


def _amount(rule: Rule, row: Row) -> Amount:
    return Amount(row.units, row.units) if rule.units else Amount.of(row.value, row.few)


def _measures(amounts: Mapping[Rule, Amount]) -> dict[str, Measure]:
    return {name: measure_of(name, amounts) for name in INDICATORS}


async def month_of(tx: ReadTx, given: date | None) -> date:
    """The month that is asked for: the latest one of which the registries have told when it is left open."""
    latest = None if given else (await tx.one(LATEST)).month
    return first_of(given or latest or clock.today())


async def check_district(tx: ReadTx, name: str, month: date) -> list[str] | None:
    """The code in `districts/<code>`, None where it is empty. Raises Refused DISTRICT_NOT_FOUND."""
    if not name:
        return None
    code = name.removeprefix("districts/")
    if code not in {row.code for row in await tx.all(DISTRICTS, month=month)}:
        raise Refused("DISTRICT_NOT_FOUND", district=code)
    return [code]


async def as_of(tx: ReadTx) -> list[pb.AsOf]:
    """Up to which event of each service all answers of this moment are; to a district, which event of its own."""
    rows = await tx.all(AS_OF, district=tx.district)
    return [pb.AsOf(service=row.service, event=str(row.told), time=timestamp(row.told_at)) for row in rows]


def measure_message(name: str, measure: Measure) -> pb.Measure:
    message = pb.Measure(indicator=number(pb.Indicator, name), part=_amount_message(measure.part))
    message.districts = measure.districts
    if measure.whole is not None:
        message.whole.CopyFrom(_amount_message(measure.whole))
    return message


def _amount_message(amount: Amount) -> pb.Amount:
    return pb.Amount(least=amount.least, most=amount.most)


def messages(measures: Mapping[str, Measure]) -> Iterable[pb.Measure]:
    return [measure_message(name, measures[name]) for name in INDICATORS]
