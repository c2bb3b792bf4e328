"""The rules of the institutions, and the values that a district gives them."""

from quanyutong.registry.v1 import rules_pb2
from tests.contract.office import Office, in_days, on
from tests.contract.refusals import refused_with


@refused_with("RULE_NOT_FOUND")
async def override_of_no_rule(office: Office) -> None:
    await office.override("1", rule="rules/congress.nothing")


@refused_with("RULE_FIXED")
async def override_of_what_is_the_same_in_the_city(office: Office) -> None:
    await office.override(">=1/2", rule="rules/congress.session_quorum")


@refused_with("RULE_VALUE_INVALID")
async def override_out_of_bounds(office: Office) -> None:
    await office.override("101")


@refused_with("RULE_DATE_REFUSED")
async def override_of_yesterday(office: Office) -> None:
    await office.override("50", in_days(-1))


@refused_with("RULE_NOT_OVERRIDDEN")
async def restoring_the_platforms_value(office: Office) -> None:
    request = rules_pb2.RestoreRuleRequest(
        name="rules/subdistrict_assembly.size_max", effective_date=on(in_days(0)), decision="决定"
    )
    await office.call("RestoreRule", request)


@refused_with("RULE_VALUE_INVALID")
async def enforcing_what_is_not_judged(office: Office) -> None:
    enforce = rules_pb2.ENFORCEMENT_ENFORCE
    await office.override("2", rule="rules/subdistrict_assembly.meetings_a_year", enforcement=enforce)
