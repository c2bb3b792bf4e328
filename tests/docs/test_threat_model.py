"""Each test that the threat model rests on is there."""

import re

from tests.harness import ROOT

NAMED = re.compile(r"`(test_\w+)`")
DEFINED = re.compile(r"def (test_\w+)\(")


def test_every_claim_has_its_test() -> None:
    named = set(NAMED.findall((ROOT / "docs" / "threat-model.md").read_text()))
    defined = {name for path in (ROOT / "tests").rglob("test_*.py") for name in DEFINED.findall(path.read_text())}
    assert named
    assert named <= defined


def test_every_line_of_its_tables_names_one() -> None:
    text = (ROOT / "docs" / "threat-model.md").read_text()
    for heading in ("## Who could learn", "## Who could change"):
        section = text.partition(heading)[2].partition("\n## ")[0]
        rows = [line for line in section.splitlines() if line.startswith("|")][2:]
        assert rows
        assert [row for row in rows if not NAMED.search(row.rpartition("| ")[2])] == []
