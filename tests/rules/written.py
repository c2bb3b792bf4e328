"""What the tests of rules share: a day, a rule on it, and a file of rules as somebody might write it."""

from datetime import date
from pathlib import Path

from chassis.rules import (
    Rule,
    Rulebook,
    load,
)

DAY = date(2024, 1, 23)


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
