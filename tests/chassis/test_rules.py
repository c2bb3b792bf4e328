"""The rule files say what the institutions say, and the rulebook judges by the right version of it."""

from datetime import date
from fractions import Fraction
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.rules import (
    VERSIONS,
    ChoiceRule,
    Duration,
    DurationRule,
    Hours,
    HoursRule,
    Override,
    OverrideRefused,
    Rule,
    Rulebook,
    RulesInvalid,
    RuleUnknown,
    Share,
    ShareRule,
    WholeNumberRule,
    Window,
    WindowRule,
    WindowsRule,
    check_enforcement,
    check_override,
    load,
    parse_value,
    value_text,
)

DAY = date(2024, 1, 23)

DEFAULTS = {
    "congress": {
        "nationality": "CN",
        "age_min": "18",
        "mandates_per_person": "1",
        "age_bands": "36,46,61",
        "session_quorum": ">=2/3",
        "district_sessions_a_year": "1",
        "district_session_window": "01-01..03-31",
        "district_session_length": "3 days",
        "township_sessions_a_year": "2",
        "township_session_windows": "01-01..03-31,07-01..09-30",
        "township_session_length": "1 days",
        "session_notice": "15 days",
        "term": "5 years",
    },
    "subdistrict_assembly": {
        "nationality": "CN",
        "age_min": "18",
        "residence_min": "1 years",
        "mandates_per_person": "1",
        "size_min": "30",
        "size_normal_max": "80",
        "size_max": "100",
        "residents_share": ">1/2",
        "women_share": ">=0",
        "community_workers_share": ">=0",
        "mediators_share": ">=0",
        "grid_workers_share": ">=0",
        "occupation_group_share": ">=0",
        "schooling_group_share": ">=0",
        "age_bands": "36,46,61",
        "age_group_share": ">=0",
        "nomination": "self_or_organisation",
        "vetted_by": "congress_working_committee",
        "confirmed_by": "consultation",
        "confirmed_list_published": "true",
        "term": "5 years",
        "term_starts_with_congress": "true",
        "moving_away_ends_mandate": "true",
        "vacancy_filled": "true",
        "deputies_attend": "true",
        "party_delegates_attend": "false",
        "cppcc_members_attend": "false",
        "quorum": ">1/2",
        "meetings_a_year": "2",
        "meeting_windows": "06-01..08-31,11-01..12-31",
        "meeting_notice": "7 days",
        "meeting_length_min": "1 days",
        "agenda_classes": "10",
        "opinions_answered": "true",
        "oversight_groups": "4",
    },
    "midyear_meeting": {
        "meetings_a_year": "1",
        "window": "07-01..08-31",
        "length": "1 days",
        "notice": "7 days",
        "form": "chosen_for_each_meeting",
        "quorum": ">=1/2",
        "satisfaction_method": "score",
    },
    "township_quarterly": {
        "special_meetings_a_year": "2",
        "special_meeting_windows": "04-01..06-30,10-01..12-31",
        "length": "1 days",
        "notice": "7 days",
        "quorum": ">=1/2",
        "scrutiny": "by_topic",
    },
    "livelihood_projects": {
        "collection_opens": "10",
        "screening": "12-01..12-31",
        "surplus_min": "1",
        "vote_secret": "true",
        "vote_held": "chosen_for_each_poll",
        "result_announced": "plenary",
        "majority_base": "none",
        "majority": ">1/2",
        "tie_at_last_place": "include_all",
        "adjustment_reported_by": "undertaker",
        "adjustment_decided_by": "standing_committee_or_township_congress",
        "adjustment_reason_recorded": "true",
        "adjustment_noticed": "true",
        "adjustment_reported_to_next_session": "true",
    },
    "votes": {
        "over_full_ballot": "invalid",
        "short_ballot": "valid",
        "blank_ballot": "abstention",
        "void_when": "more_ballots_than_papers",
        "satisfaction_secret": "true",
        "grades": "three_grades",
        "grade_base": "all_members",
        "satisfied": ">=1/2",
        "basically_satisfied": ">=1/2",
        "score_lowest": "0",
        "score_highest": "100",
        "score_average": "mean",
        "scores_trimmed": "0",
    },
    "stations_and_voice": {
        "working_days": "national_calendar",
        "reception_months": "2,4,6,8,10,12",
        "reception_day": "20",
        "reception_on_holiday": "next_working_day",
        "reception_notice": "3 days",
        "reception_turns_a_year": "2",
        "house_feedback_every": "6 months",
        "station_symposium_every": "3 months",
        "station_meeting_notice": "3 days",
        "opinion_acknowledged": "24 hours",
        "opinion_answer": "7 working_days",
        "proposal_answer": "3 months",
        "proposal_answer_extended": "6 months",
        "proposal_extension_consent": "true",
        "proposal_extension_reason": "true",
        "proposal_returned": "7 working_days",
        "proposal_co_answer": "1 months",
        "proposal_answer_again": "1 months",
        "proposal_outcome": "four_classes",
    },
}

DEFAULTS["planning"] = {
    "assembly_meetings_a_day_max": "3",
    "station_meetings_a_day_max": "20",
    "morning": "09:00..11:30",
    "afternoon": "14:30..17:00",
}

COMPOSITION = {rule: "warn" for rule in DEFAULTS["subdistrict_assembly"] if "share" in rule or "size" in rule} | {
    "size_max": "enforce"
}

SIZE_MAX = "subdistrict_assembly.size_max"
SIZE_FILE = """
[sources]
law = { zh = "法", en = "law" }

[rules.size]
title = { zh = "名额", en = "Seats" }
kind = "whole_number"
unit = "seats"
maximum = 100
overridable = true
versions = [
    { effective = 2024-07-01, value = 40, source = "law" },
    { effective = 2020-01-01, value = 30, source = "law" },
]
"""


def rule(rule_id: str) -> Rule:
    return Rulebook.on(DAY).rule(rule_id)


def written(folder: Path, text: str) -> tuple[Rule, ...]:
    (folder / "hall.toml").write_text(text, "utf-8")
    return load(folder)


# --- what the files say


def test_every_rule_has_the_default_that_the_institutions_state() -> None:
    found: dict[str, dict[str, str]] = {}
    for each in Rulebook.on(DAY):
        institution, name = each.id.split(".")
        found.setdefault(institution, {})[name] = value_text(each.value)
    assert found == DEFAULTS


def test_every_file_is_read() -> None:
    stems = {file.name.removesuffix(".toml") for file in (files("chassis") / "institutions").iterdir()}
    assert stems == set(DEFAULTS)


def test_rules_of_composition_say_whether_they_are_enforced() -> None:
    found = {each.id.split(".")[1]: each.enforcement for each in Rulebook.on(DAY) if each.enforcement}
    eligibility = dict.fromkeys(("nationality", "age_min", "residence_min", "mandates_per_person"), "enforce")
    assert found == COMPOSITION | eligibility


def test_midyear_rules_hold_since_its_first_meetings() -> None:
    assert {r.id.split(".")[0] for r in Rulebook.on(date(2005, 1, 1))} == {"congress", "midyear_meeting", "votes"}
    assert len(Rulebook.on(date(2004, 12, 31))) == 0
    assert len(Rulebook.on(date(2015, 1, 1))) == len(VERSIONS)


# --- shares

shares = st.builds(
    Share,
    fraction=st.fractions(min_value=0, max_value=Fraction(99, 100), max_denominator=1000),
    counts=st.sampled_from(["at_least", "more_than"]),
) | st.just(Share.model_validate(">=1"))


@pytest.mark.parametrize(
    ("share", "whole", "needed"),
    [
        (">=1/2", 5, 3),  # half of an odd number
        (">=1/2", 6, 3),
        (">1/2", 6, 4),  # more than half of an even number
        (">1/2", 5, 3),
        (">=2/3", 450, 300),
        (">=2/3", 322, 215),
        (">=1/3", 3, 1),  # where a binary fraction goes wrong
        (">=0", 71, 0),
        (">0", 71, 1),
        (">=1", 71, 71),
        (">=1/2", 0, 1),  # nobody has no quorum
        (">1/2", 0, 1),
        (">=0", 0, 0),
    ],
)
def test_the_fewest_that_meet_a_share(share: str, whole: int, needed: int) -> None:
    assert Share.model_validate(share).needed(whole) == needed


@given(shares, st.integers(1, 13_000), st.data())
def test_a_share_is_met_as_exact_fractions_say(share: Share, whole: int, data: st.DataObject) -> None:
    edge = int(share.fraction * whole)
    part = data.draw(st.integers(max(0, edge - 1), min(whole, edge + 1)) | st.integers(0, whole))
    exact = Fraction(part, whole)
    meets = exact > share.fraction if share.counts == "more_than" else exact >= share.fraction
    assert share.met(part, whole) == meets


@given(shares, st.integers(1, 13_000))
def test_needed_is_met_and_one_fewer_is_not(share: Share, whole: int) -> None:
    needed = share.needed(whole)
    assert share.met(needed, whole)
    assert needed == 0 or not share.met(needed - 1, whole)
    assert share.met(whole, whole)


@pytest.mark.parametrize(("part", "whole"), [(6, 5), (-1, 5), (0, -1)])
def test_what_is_no_part_of_the_whole_is_a_mistake(part: int, whole: int) -> None:
    with pytest.raises(ValueError, match="no part"):
        Share.model_validate(">=1/2").met(part, whole)


# --- time


@pytest.mark.parametrize(
    ("duration", "start", "end"),
    [
        ("5 years", date(2021, 11, 1), date(2026, 11, 1)),
        ("1 years", date(2024, 2, 29), date(2025, 2, 28)),
        ("3 months", date(2023, 11, 30), date(2024, 2, 29)),
        ("1 months", date(2023, 12, 31), date(2024, 1, 31)),
        ("3 days", date(2024, 2, 28), date(2024, 3, 2)),
        ("0 months", date(2024, 2, 29), date(2024, 2, 29)),
    ],
)
def test_a_duration_ends_on_the_calendar(duration: str, start: date, end: date) -> None:
    assert Duration.model_validate(duration).end(start) == end


@pytest.mark.parametrize("duration", ["24 hours", "7 working_days"])
def test_hours_and_working_days_have_no_end_on_the_bare_calendar(duration: str) -> None:
    with pytest.raises(ValueError, match="calendar"):
        Duration.model_validate(duration).end(DAY)


def test_a_window_includes_both_ends() -> None:
    window = Rulebook.on(DAY).rule("midyear_meeting.window", WindowRule).value
    days = [date(2024, 6, 30), date(2024, 7, 1), date(2024, 8, 31), date(2024, 9, 1)]
    assert [window.includes(day) for day in days] == [False, True, True, False]


def test_a_window_has_days_in_every_year() -> None:
    window = Window.model_validate("02-01..02-29")
    assert window.days(2024) == (date(2024, 2, 1), date(2024, 2, 29))
    assert window.days(2025) == (date(2025, 2, 1), date(2025, 2, 28))


# --- which version, which override


def test_a_version_names_the_rule_its_day_and_the_district_s_revision() -> None:
    own = Override(SIZE_MAX, "60", date(2022, 1, 1), 3)
    assert rule(SIZE_MAX).version == "subdistrict_assembly.size_max@2015-01-01"
    assert Rulebook.on(DAY, [own]).rule(SIZE_MAX).version == "subdistrict_assembly.size_max@2015-01-01+r3"


def test_the_latest_override_that_has_begun_holds() -> None:
    overrides = [
        Override(SIZE_MAX, "75", date(2023, 1, 1), 3),  # decided after the next, for the same day
        Override(SIZE_MAX, "70", date(2023, 1, 1), 2),
        Override(SIZE_MAX, "60", date(2022, 1, 1), 1),
        Override(SIZE_MAX, "65", date(2022, 7, 1), 4),  # decided later, for an earlier day
        Override(SIZE_MAX, None, date(2024, 1, 1), 5),
    ]

    def holds(day: date) -> tuple[int, int | None, date]:
        found = Rulebook.on(day, overrides).rule(SIZE_MAX, WholeNumberRule)
        return found.value, found.revision, found.in_force_since

    assert holds(date(2021, 12, 31)) == (100, None, date(2015, 1, 1))
    assert holds(date(2022, 1, 1)) == (60, 1, date(2022, 1, 1))
    assert holds(date(2023, 1, 1)) == (75, 3, date(2023, 1, 1))
    assert holds(date(2024, 1, 1)) == (100, None, date(2024, 1, 1))


def test_an_override_touches_its_own_rule_alone() -> None:
    own = Rulebook.on(DAY, [Override("midyear_meeting.quorum", ">=2/3", DAY, 1)])
    changed = [a.id for a, b in zip(own, Rulebook.on(DAY), strict=True) if a != b]
    assert changed == ["midyear_meeting.quorum"]
    assert own.rule("midyear_meeting.quorum", ShareRule).value.needed(322) == 215


def test_a_rule_holds_in_its_latest_version(tmp_path: Path) -> None:
    versions = written(tmp_path, SIZE_FILE)
    with pytest.raises(RuleUnknown):
        Rulebook.on(date(2019, 12, 31), versions=versions).rule("hall.size")
    assert Rulebook.on(date(2024, 6, 30), versions=versions).rule("hall.size").version == "hall.size@2020-01-01"
    assert Rulebook.on(date(2024, 7, 1), versions=versions).rule("hall.size").version == "hall.size@2024-07-01"


def test_an_override_that_no_longer_fits_is_set_aside_and_named(tmp_path: Path) -> None:
    stays = Override("hall.size", "90", date(2021, 1, 1), 1)
    too_many = Override("hall.size", "101", date(2022, 1, 1), 2)
    gone = Override("hall.colour", "red", date(2022, 1, 1), 1)
    versions = written(tmp_path, SIZE_FILE)
    book = Rulebook.on(DAY, [stays, too_many, gone], versions)
    assert set(book.set_aside) == {too_many, gone}
    assert book.rule("hall.size").version == "hall.size@2020-01-01"
    later = Rulebook.on(date(2024, 7, 1), [stays], versions).rule("hall.size")
    assert (later.version, value_text(later.value), later.in_force_since) == (
        "hall.size@2024-07-01+r1",
        "90",
        date(2024, 7, 1),
    )


def test_a_rule_that_does_not_exist_is_unknown() -> None:
    with pytest.raises(RuleUnknown) as caught:
        rule("subdistrict_assembly.colour")
    assert caught.value.rule == "subdistrict_assembly.colour"


def test_asking_for_the_wrong_kind_is_a_mistake_of_the_program() -> None:
    with pytest.raises(TypeError):
        Rulebook.on(DAY).rule(SIZE_MAX, DurationRule)


# --- what a district may say


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


# --- text and back


def values_of(target: Rule) -> st.SearchStrategy[Any]:
    """Values that the rule can have."""
    match target:
        case WholeNumberRule():
            return st.integers(target.minimum, target.maximum or 999_999_999)
        case ShareRule():
            return shares.filter(lambda share: target.minimum is None or not share < target.minimum)
        case DurationRule():
            lengths = st.integers(target.minimum, target.maximum or 9999)
            return lengths.map(lambda length: Duration(length=length, unit=target.unit))
        case ChoiceRule():
            return st.sampled_from(sorted(target.allowed))
        case WindowRule():
            outer = target.within or Window(first="01-01", last="12-31")
            days = st.dates(date.fromisoformat(f"2000-{outer.first}"), date.fromisoformat(f"2000-{outer.last}")).map(
                lambda day: f"{day:%m-%d}"
            )
            return st.tuples(days, days).map(lambda ends: Window(first=min(ends), last=max(ends)))
        case WindowsRule():
            months = st.sets(st.integers(1, 12), min_size=1).map(sorted)
            return months.map(
                lambda chosen: tuple(Window(first=f"{month:02}-05", last=f"{month:02}-25") for month in chosen)
            )
        case HoursRule():
            times = st.times().map(lambda moment: moment.replace(second=0, microsecond=0))
            ends = st.sets(times, min_size=2, max_size=2).map(sorted)
            return ends.map(lambda pair: Hours.model_validate(f"{pair[0]:%H:%M}..{pair[1]:%H:%M}"))
        case _ if target.kind == "ages":
            return st.sets(st.integers(1, 150), min_size=1, max_size=20).map(lambda ages: tuple(sorted(ages)))
        case _ if target.kind == "months":
            return st.sets(st.integers(1, 12), min_size=1).map(lambda months: tuple(sorted(months)))
        case _:
            return st.booleans()


@given(st.sampled_from(VERSIONS).flatmap(lambda target: st.tuples(st.just(target), values_of(target))))
def test_a_value_survives_the_journey_as_text(pair: tuple[Rule, Any]) -> None:
    target, value = pair
    read = parse_value(target, value_text(value))
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize("text", ["", "30 seats", "1e2", "+30", "30\n"])
def test_a_text_that_stands_for_no_value_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="30"):
        parse_value(rule(SIZE_MAX), text)


# --- files that cannot be used


@pytest.mark.parametrize(
    ("good", "bad", "field"),
    [
        ("value = 30", 'value = "many"', "value"),
        ("value = 30", "value = 101", "value"),
        ("value = 30", "value = true", "value"),
        ("maximum = 100", 'maximum = "lots"', "maximum"),
        ("maximum = 100", "ceiling = 100", "ceiling"),
        ('kind = "whole_number"', 'kind = "colour"', "kind"),
        ('kind = "whole_number"', "", "kind"),
        ('unit = "seats"', "", "unit"),
        ("overridable = true", "", "overridable"),
        ("overridable = true", 'overridable = "yes"', "overridable"),
        ('zh = "名额", ', "", "title.zh"),
        ("effective = 2020-01-01", 'effective = "soon"', "versions.1.effective"),
        ("effective = 2020-01-01, ", "", "versions.1.effective"),
        ("effective = 2020-01-01", "effective = 2024-07-01", "versions"),
        ('value = 30, source = "law"', 'value = 30, source = "hearsay"', "source"),
        ("[rules.size]", "[rules.Size]", "id"),
        ("maximum = 100", "override = { revision = 1 }", "override"),
    ],
)
def test_a_broken_rule_is_named(tmp_path: Path, good: str, bad: str, field: str) -> None:
    assert good in SIZE_FILE
    with pytest.raises(RulesInvalid) as caught:
        written(tmp_path, SIZE_FILE.replace(good, bad))
    assert (caught.value.file, caught.value.rule.lower(), caught.value.field) == ("hall.toml", "hall.size", field)
    assert str(caught.value).startswith(f"hall.toml: {caught.value.rule}: {field}: ")


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("[sources", ""),
        ("[rules]", "sources"),
        ('[sources]\nlaw = "law"\n[rules]', "sources.law"),
        (SIZE_FILE + "[extra]", "extra"),
    ],
)
def test_a_broken_file_is_named(tmp_path: Path, text: str, field: str) -> None:
    with pytest.raises(RulesInvalid) as caught:
        written(tmp_path, text)
    assert (caught.value.file, caught.value.rule, caught.value.field) == ("hall.toml", "", field)


def test_a_rule_that_is_no_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(RulesInvalid) as caught:
        written(tmp_path, "[sources]\n[rules]\nsize = 30")
    assert caught.value.rule == "hall.size"


def test_a_folder_without_rules_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RulesInvalid):
        load(tmp_path)
