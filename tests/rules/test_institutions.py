"""The rule files say what the institutions say."""

from datetime import date
from importlib.resources import files

from chassis.rules import (
    VERSIONS,
    Rulebook,
    value_text,
)
from tests.rules.written import DAY

DEFAULTS = {
    "congress": {
        "nationality": "CN",
        "deliberation_answer": "3 months",
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
        "turnout_step": "5",
        "motion_base": "all_members",
        "motion_majority": ">1/2",
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
        "opinion_returned": "2 working_days",
        "opinion_answer_again": "7 working_days",
        "opinion_judged": "10 working_days",
        "opinion_warning": "2 working_days",
        "opinion_escalated": "3 working_days",
        "opinion_likeness": ">=3/10",
        "intake_a_day": "200",
        "intake_same_a_day": "20",
        "proposal_answer": "3 months",
        "proposal_answer_extended": "6 months",
        "proposal_extension_consent": "true",
        "proposal_extension_reason": "true",
        "proposal_returned": "7 working_days",
        "proposal_co_answer": "1 months",
        "proposal_answer_again": "1 months",
        "proposal_warning": "10 working_days",
        "proposal_escalated": "5 working_days",
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
