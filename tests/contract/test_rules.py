"""Rules of the institutions with a district's own values."""

from datetime import date

from chassis import clock
from quanyutong.registry.v1 import rules_pb2 as pb
from tests.contract.office import SIZE_MAX, Office, in_days, on
from tests.harness import refused


async def rule_on(office: Office, day: date | None = None, name: str = SIZE_MAX) -> pb.Rule:
    request = pb.ListRulesRequest(page_size=500, as_of=on(day) if day else None)
    rules: list[pb.Rule] = (await office.call("ListRules", request)).rules
    return next(rule for rule in rules if rule.name == name)


async def restore(office: Office, day: date | None = None) -> pb.Rule:
    request = pb.RestoreRuleRequest(name=SIZE_MAX, effective_date=on(day or clock.today()), decision="恢复决定")
    restored: pb.Rule = await office.call("RestoreRule", request)
    return restored


async def test_platforms_value_holds_where_the_district_says_nothing(office: Office) -> None:
    rule = await rule_on(office)
    assert (rule.value, rule.default_value, rule.version, rule.unit, rule.overridable, rule.decision) == (
        "100",
        "100",
        "subdistrict_assembly.size_max@2015-01-01",
        "seats",
        True,
        "",
    )
    assert rule.effective_date == on("2015-01-01")
    assert rule.title_zh
    assert rule.title_en
    assert rule.source_zh
    assert rule.source_en


async def test_list_narrows_by_institution_and_day(office: Office) -> None:
    async def names(**filters: object) -> list[str]:
        answer = await office.call("ListRules", pb.ListRulesRequest(page_size=500, **filters))  # type: ignore[arg-type]
        return [rule.name for rule in answer.rules]

    everything = await names()
    congress = [name for name in everything if name.startswith("rules/congress.")]
    assert everything == sorted(everything)
    assert await names(institution="congress") == congress
    assert await names(institution="congres") == []
    assert await names(as_of=on("2004-12-31")) == []
    assert SIZE_MAX not in await names(as_of=on("2014-12-31"))


async def test_override_holds_from_its_day(office: Office) -> None:
    changed = await office.override("60", in_days(7))
    assert (changed.value, changed.default_value, changed.version, changed.decision) == (
        "60",
        "100",
        "subdistrict_assembly.size_max@2015-01-01+r1",
        "试验决定",
    )
    assert changed.effective_date == on(in_days(7))
    assert (await rule_on(office, in_days(6))).value == "100"
    assert await rule_on(office, in_days(7)) == changed


async def test_restored_rule_is_the_platforms_again(office: Office) -> None:
    await office.override("60")
    restored = await restore(office, in_days(3))
    assert (restored.value, restored.version) == ("100", "subdistrict_assembly.size_max@2015-01-01")
    assert (await rule_on(office, in_days(2))).value == "60"
    assert await refused(restore(office, in_days(3))) == "ERROR_REASON_RULE_NOT_OVERRIDDEN"
    assert (await office.override("70", in_days(3))).version.endswith("+r3")


async def test_changes_of_a_rule_go_forward_only(office: Office) -> None:
    await office.override("60", in_days(5))
    for day in (in_days(-1), in_days(4)):
        assert await refused(office.override("50", day)) == "ERROR_REASON_RULE_DATE_REFUSED"
        assert await refused(restore(office, day)) == "ERROR_REASON_RULE_DATE_REFUSED"
    assert (await office.override("50", in_days(5))).value == "50"


async def test_values_that_a_rule_cannot_have(office: Office) -> None:
    for value in ("101", "0", "-1", "1e2", "many", "３０", " 30", "9" * 200):
        assert await refused(office.override(value)) == "ERROR_REASON_RULE_VALUE_INVALID"
    assert (await rule_on(office)).value == "100"


async def test_every_kind_of_value_can_be_overridden(office: Office) -> None:
    answer = await office.call("ListRules", pb.ListRulesRequest(page_size=500))
    for rule in answer.rules:
        if rule.overridable:
            assert (await office.override(rule.value, rule=rule.name)).value == rule.value, rule.name
        else:
            assert await refused(office.override(rule.value, rule=rule.name)) == "ERROR_REASON_RULE_FIXED", rule.name


async def test_unknown_rule(office: Office) -> None:
    unknown = "rules/congress.nothing"
    assert await refused(office.override("1", rule=unknown)) == "ERROR_REASON_RULE_NOT_FOUND"
    request = pb.RestoreRuleRequest(name=unknown, effective_date=on(clock.today()), decision="恢复决定")
    assert await refused(office.call("RestoreRule", request)) == "ERROR_REASON_RULE_NOT_FOUND"
