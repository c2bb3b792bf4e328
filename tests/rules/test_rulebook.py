"""The rulebook judges by the right version of a rule, and by the district's own."""

from datetime import date
from pathlib import Path

import pytest

from chassis.rules import (
    DurationRule,
    Override,
    Rulebook,
    RuleUnknown,
    ShareRule,
    WholeNumberRule,
    value_text,
)
from tests.rules.written import DAY, SIZE_FILE, SIZE_MAX, rule, written


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
