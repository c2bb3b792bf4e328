"""What a district may say of a rule, and what it may not."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.rules import (
    VERSIONS,
    Override,
    OverrideRefused,
    Rule,
    Rulebook,
    check_enforcement,
    check_override,
    parse_value,
    value_text,
)
from tests.rules.written import DAY, SIZE_MAX, rule


@pytest.mark.parametrize(
    ("rule_id", "value", "text"),
    [
        (SIZE_MAX, 60, "60"),
        (SIZE_MAX, "060", "60"),
        ("subdistrict_assembly.women_share", {"fraction": "30/100", "counts": "at_least"}, ">=3/10"),
        ("midyear_meeting.quorum", ">=2/3", ">=2/3"),
        ("midyear_meeting.quorum", ">1/2", ">1/2"),
        ("midyear_meeting.window", {"first": "08-01", "last": "08-31"}, "08-01..08-31"),
        ("midyear_meeting.form", "congress_session", "congress_session"),
        ("stations_and_voice.opinion_answer", {"length": 5, "unit": "working_days"}, "5 working_days"),
        ("stations_and_voice.reception_months", [3, 6, 9, 12], "3,6,9,12"),
        ("subdistrict_assembly.party_delegates_attend", True, "true"),
        ("livelihood_projects.tie_at_last_place", "run_off", "run_off"),
        ("congress.township_session_windows", "02-01..02-28,08-01..08-31", "02-01..02-28,08-01..08-31"),
        ("congress.township_session_windows", [{"first": "02-01", "last": "02-28"}], "02-01..02-28"),
        ("planning.morning", "08:30..12:00", "08:30..12:00"),
        ("livelihood_projects.surplus_min", 5, "5"),  # Nan'an: 15 candidates for 10 places
    ],
)
def test_a_district_may_say_otherwise(rule_id: str, value: Any, text: str) -> None:
    assert value_text(check_override(rule(rule_id), value)) == text


@pytest.mark.parametrize("rule_id", ["congress.session_quorum", "votes.void_when", "subdistrict_assembly.age_min"])
def test_a_fixed_rule_has_no_other_value(rule_id: str) -> None:
    with pytest.raises(OverrideRefused) as caught:
        check_override(rule(rule_id), value_text(rule(rule_id).value))
    assert (caught.value.reason, caught.value.rule) == ("RULE_FIXED", rule_id)


@pytest.mark.parametrize(
    ("rule_id", "value"),
    [
        (SIZE_MAX, 101),
        (SIZE_MAX, 0),
        (SIZE_MAX, 60.0),
        (SIZE_MAX, True),
        (SIZE_MAX, None),
        (SIZE_MAX, "６０"),
        (SIZE_MAX, " 60"),
        (SIZE_MAX, "-1"),
        (SIZE_MAX, ">=1/2"),
        ("midyear_meeting.quorum", ">=1/3"),  # never less than half
        ("subdistrict_assembly.quorum", ">=1/2"),  # more than half
        ("subdistrict_assembly.women_share", 0.3),
        ("subdistrict_assembly.women_share", {"fraction": 0.3, "counts": "at_least"}),
        ("subdistrict_assembly.women_share", {"fraction": "1/2"}),
        ("subdistrict_assembly.women_share", ">1"),
        ("subdistrict_assembly.women_share", ">=4/3"),
        ("subdistrict_assembly.women_share", ">=1/0"),
        ("stations_and_voice.opinion_answer", "7 days"),  # not what the rule counts in
        ("stations_and_voice.opinion_answer", "0 working_days"),
        ("stations_and_voice.reception_notice", "10000 days"),
        ("stations_and_voice.proposal_answer", "4 months"),
        ("stations_and_voice.reception_day", 29),
        ("stations_and_voice.reception_months", "4,2"),
        ("stations_and_voice.reception_months", "2,2"),
        ("stations_and_voice.reception_months", "2,13"),
        ("stations_and_voice.reception_months", "2,,4"),
        ("stations_and_voice.reception_months", []),
        ("midyear_meeting.window", "06-30..08-31"),
        ("midyear_meeting.window", "07-01..09-01"),
        ("midyear_meeting.window", "08-01..07-31"),
        ("midyear_meeting.window", "07-01..08-32"),
        ("midyear_meeting.form", "picnic"),
        ("congress.township_session_windows", "01-01..03-31,03-31..06-30"),
        ("congress.township_session_windows", "07-01..09-30,01-01..03-31"),
        ("congress.township_session_windows", "01-01..03-31,"),
        ("congress.township_session_windows", ""),
        ("congress.township_session_windows", []),
        ("planning.morning", "12:00..09:00"),
        ("planning.morning", "09:00..09:00"),
        ("planning.morning", "9:00..11:30"),
        ("planning.morning", "09:00..24:00"),
        ("planning.morning", {"begin": "09:00", "end": "11:30"}),
        ("subdistrict_assembly.party_delegates_attend", "yes"),
        ("subdistrict_assembly.party_delegates_attend", 1),
    ],
)
def test_a_value_outside_of_the_rule_is_refused(rule_id: str, value: Any) -> None:
    with pytest.raises(OverrideRefused) as caught:
        check_override(rule(rule_id), value)
    assert (caught.value.reason, caught.value.rule) == ("RULE_VALUE_INVALID", rule_id)
    assert caught.value.detail


WOMEN = "subdistrict_assembly.women_share"


@pytest.mark.parametrize(
    ("rule_id", "given"),
    [
        (SIZE_MAX, "warn"),  # enforced in the whole city
        ("subdistrict_assembly.meetings_a_year", "enforce"),  # no composition
        ("subdistrict_assembly.meetings_a_year", "warn"),
    ],
)
def test_what_breaking_a_rule_leads_to_is_never_relaxed(rule_id: str, given: Any) -> None:
    with pytest.raises(OverrideRefused) as caught:
        check_enforcement(rule(rule_id), given)
    assert (caught.value.reason, caught.value.rule) == ("RULE_VALUE_INVALID", rule_id)


@pytest.mark.parametrize(("given", "holds"), [("enforce", "enforce"), ("warn", "warn"), (None, "warn")])
def test_a_district_may_enforce_what_the_platform_remarks_on(given: Any, holds: str) -> None:
    override = Override(WOMEN, ">=1/3", date(2020, 1, 1), 1, given)
    assert Rulebook.on(DAY, [override]).rule(WOMEN).enforcement == holds
    restored = Override(WOMEN, None, date(2021, 1, 1), 2)
    assert Rulebook.on(DAY, [override, restored]).rule(WOMEN).enforcement == "warn"


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["fraction", "counts", "length", "unit", "first", "last", "x"]), inner, max_size=3
        )
    ),
    max_leaves=5,
)


@given(st.sampled_from([r for r in VERSIONS if r.overridable]), json)
def test_whatever_is_sent_is_a_value_or_refused(target: Rule, sent: object) -> None:
    try:
        value = check_override(target, sent)
    except OverrideRefused:
        return
    assert parse_value(target, value_text(value)) == value
