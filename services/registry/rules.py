"""Rules of the institutions as they hold in a district: the platform's values, and the district's own."""

from datetime import date
from typing import Any, TypeVar

import grpc
from sqlalchemy import insert, select, text

from chassis import clock
from chassis.database import Database, ReadTx, WriteTx
from chassis.pagination import slice_page
from chassis.rulebooks import rulebook
from chassis.rules import (
    Enforcement,
    OverrideRefused,
    Rule,
    Rulebook,
    RuleUnknown,
    check_enforcement,
    check_override,
    value_text,
)
from chassis.sql import Sql
from chassis.wire import date_message, number, read_date, word
from quanyutong.registry.v1 import events_pb2
from quanyutong.registry.v1 import rules_pb2 as pb
from services.registry import domain
from services.registry.tables import rule_override

Context = grpc.aio.ServicerContext[Any, Any]
R = TypeVar("R", bound=Rule)
LOCK = Sql(text("SELECT pg_advisory_xact_lock(hashtextextended(:rule, 0))"))


class Rules:
    _database: Database

    async def ListRules(self, request: pb.ListRulesRequest, _: Context) -> pb.ListRulesResponse:
        day = read_date(request, "as_of") or clock.today()
        async with self._database.read() as tx:
            book = await rulebook(tx, day)
            decisions = await _decisions(tx)
        of_institution = f"{request.institution}." if request.institution else ""
        chosen = sorted((rule for rule in book if rule.id.startswith(of_institution)), key=lambda rule: rule.id)
        rules, token = slice_page(request, chosen, lambda rule: rule.id)
        return pb.ListRulesResponse(rules=[_message(rule, decisions) for rule in rules], next_page_token=token)

    async def OverrideRule(self, request: pb.OverrideRuleRequest, _: Context) -> pb.Rule:
        async with self._database.write() as tx:
            enforcement: Enforcement | None = word(pb.Enforcement, request.enforcement) or None  # type: ignore[assignment]
            return tx.reply(await _change(tx, request, request.value, enforcement))

    async def RestoreRule(self, request: pb.RestoreRuleRequest, _: Context) -> pb.Rule:
        async with self._database.write() as tx:
            return tx.reply(await _change(tx, request, None))


def rule_of(book: Rulebook, key: str, kind: type[R]) -> R:
    """One rule of a day's book. Raises Refused RULE_NOT_FOUND for a day before its first version."""
    try:
        return book.rule(key, kind)
    except RuleUnknown:
        raise domain.Refused("RULE_NOT_FOUND", rule=f"rules/{key}") from None


async def rule_on(tx: ReadTx, day: date, key: str, kind: type[R]) -> R:
    """One rule as it holds on a day. Raises Refused RULE_NOT_FOUND."""
    return rule_of(await rulebook(tx, day), key, kind)


async def _change(
    tx: WriteTx,
    request: pb.OverrideRuleRequest | pb.RestoreRuleRequest,
    value: str | None,
    enforcement: Enforcement | None = None,
) -> pb.Rule:
    key = request.name.removeprefix("rules/")
    day = read_date(request, "effective_date")
    assert day is not None  # noqa: S101 - a field rule demands it
    # Changes of one rule follow each other: the next revision is counted under this lock.
    await tx.execute(LOCK, rule=f"{tx.district}/{key}")
    revision, latest, overridden = await _latest(tx, key)
    domain.check_rule_date(day, max(clock.today(), latest or clock.today()))
    _check_value(request.name, key, day, value, enforcement)
    if value is None and not overridden:
        raise domain.Refused("RULE_NOT_OVERRIDDEN", rule=request.name)
    values = {
        "rule": key,
        "revision": revision + 1,
        "value": value,
        "effective_date": day,
        "decision": request.decision,
        "enforcement": enforcement or "",
    }
    await tx.execute(insert(rule_override).values(values))
    changed = events_pb2.RuleChanged(
        rule=request.name,
        value=value or "",
        effective_date=date_message(day),
        revision=revision + 1,
        enforcement=number(pb.Enforcement, enforcement),
    )
    tx.publish(changed, request.name)
    return _message((await rulebook(tx, day)).rule(key), await _decisions(tx))


def _check_value(name: str, key: str, day: date, value: str | None, enforcement: Enforcement | None) -> None:
    try:
        rule = Rulebook.on(day).rule(key)
        if value is not None:
            check_override(rule, value)
            check_enforcement(rule, enforcement)
    except RuleUnknown:
        raise domain.Refused("RULE_NOT_FOUND", rule=name) from None
    except OverrideRefused as refused:
        raise domain.Refused(refused.reason, rule=name, detail=refused.detail) from None


async def _latest(tx: ReadTx, key: str) -> tuple[int, date | None, bool]:
    """Revision, first day and kind (a value, or back to the platform's) of the latest change of a rule."""
    statement = select(rule_override).where(rule_override.c.rule == key)
    row = await tx.first(statement.order_by(rule_override.c.revision.desc()).limit(1))
    return (row.revision, row.effective_date, row.value is not None) if row else (0, None, False)


async def _decisions(tx: ReadTx) -> dict[tuple[str, int], str]:
    rows = await tx.all(select(rule_override.c.rule, rule_override.c.revision, rule_override.c.decision))
    return {(row.rule, row.revision): row.decision for row in rows}


def _message(rule: Rule, decisions: dict[tuple[str, int], str]) -> pb.Rule:
    return pb.Rule(
        name=f"rules/{rule.id}",
        title_zh=rule.title.zh,
        title_en=rule.title.en,
        value=value_text(rule.value),
        default_value=value_text(Rulebook.on(rule.in_force_since).rule(rule.id).value),
        version=rule.version,
        unit=rule.unit,
        source_zh=rule.source.zh,
        source_en=rule.source.en,
        overridable=rule.overridable,
        effective_date=date_message(rule.in_force_since),
        decision=decisions.get((rule.id, rule.revision), "") if rule.revision else "",
        enforcement=number(pb.Enforcement, rule.enforcement),
    )
