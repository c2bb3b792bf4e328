"""Files that cannot be used are refused, with the place of the fault."""

from pathlib import Path

import pytest

from chassis.rules import (
    RulesInvalid,
    load,
)
from tests.rules.written import SIZE_FILE, written


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
