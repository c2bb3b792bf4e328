"""docs/voting-protocol.md: its vectors are what the code computes, and what another language computes from its text."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from quanyutong_client import verify
from quanyutong_client.encoding import split
from quanyutong_client.rules import KINDS
from tests.client.vectors import DOCUMENT, Vectors, stated

STATED = stated()
VECTORS = Vectors.of(STATED["inputs"])
SOURCES = Path(__file__).parents[2] / "client" / "quanyutong_client"


def test_the_vectors_are_what_the_code_computes() -> None:
    assert VECTORS.outputs() == STATED["outputs"]


def test_the_board_of_the_vectors_is_sound() -> None:
    report = verify(VECTORS.board().text())
    assert report.is_sound
    assert report.result
    assert [question.count.invalid for question in report.result.questions] == [1, 0, 0]


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js")
def test_another_language_computes_the_same_from_the_text() -> None:
    program = Path(__file__).parent / "protocol.mjs"
    given = json.dumps(STATED["inputs"])
    done = subprocess.run(["node", str(program)], input=given, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == STATED["outputs"]


def test_the_table_of_a_ballots_fields() -> None:
    table = DOCUMENT.read_text().split("That is nine fields:")[1].split("The box takes")[0]
    rows = re.findall(r"^\| (\d) \| ([^|]+) \|", table, re.MULTILINE)
    parts = split(bytes.fromhex(STATED["outputs"]["first"]["ballot"]))
    assert [int(number) for number, _ in rows] == list(range(1, len(parts) + 1))
    stated_lengths = {int(number): int(length) for number, length in rows if length.isdigit()}
    assert stated_lengths == {number: len(parts[number - 1]) for number in stated_lengths}


def test_every_label_is_in_the_document_and_no_other() -> None:
    labels = re.compile(r"quanyutong\.[a-z]+\.v[0-9]+")
    used = {label for path in SOURCES.glob("*.py") for label in labels.findall(path.read_text())}
    package = "quanyutong.ballots.v1"  # of the service that is called, no label of what is signed
    assert set(labels.findall(DOCUMENT.read_text())) - {package} == used - {package}


def test_every_member_of_a_rule_is_in_the_document() -> None:
    text = DOCUMENT.read_text()
    rules = [question.rule for question in VECTORS.terms.questions]
    assert all(f"`{kind}`" in text for kind in KINDS)
    assert [name for rule in rules for name in rule.json() if f"`{name}`" not in text and f'"{name}"' not in text] == []
