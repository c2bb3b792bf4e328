"""What the code refuses with is what errors.proto declares: checked in the sources, without running them."""

import ast
import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from google.protobuf.descriptor import EnumDescriptor

from chassis.errors import PREFIX, Catalogue
from quanyutong.common.v1 import errors_pb2 as common
from quanyutong.options.v1 import options_pb2
from services.__main__ import TARGETS
from tests.harness import ROOT

ENUMS: dict[str, EnumDescriptor] = {
    "common": common.ErrorReason.DESCRIPTOR,
    **{name: manifest.reasons for name, manifest in TARGETS.items()},
}
# Where a refusal is made, and which argument is its reason.
MAKERS = {"Refusal": 0, "Refused": 0, "FieldsInvalid": 1}
# Facts beside those of the texts, for machines to read.
FURTHER = {("REQUEST_UNREADABLE", "fault")}


@dataclass(frozen=True)
class Made:
    """A refusal in the sources."""

    place: str
    service: str
    reason: str
    facts: frozenset[str]


def made(path: Path, source: str) -> Iterator[Made]:
    parts = path.parts
    service = parts[1] if parts[0] == "services" else ""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and (found := _refusal(node)):
            yield Made(f"{path}:{node.lineno}", service, *found)


def _refusal(call: ast.Call) -> tuple[str, frozenset[str]] | None:
    """Reason and names of the facts; None for another call, or for a reason that is not written there."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    place = MAKERS.get(name)
    if place is None or len(call.args) <= place:
        return None
    reason = call.args[place]
    if not isinstance(reason, ast.Constant) or any(keyword.arg is None for keyword in call.keywords):
        return None
    return str(reason.value), frozenset(str(keyword.arg) for keyword in call.keywords)


def places(text: str) -> frozenset[str]:
    return frozenset(name for _, name, _, _ in string.Formatter().parse(text) if name)


def faults(found: Made, catalogues: Mapping[str, Catalogue]) -> list[str]:
    catalogue = catalogues.get(found.service, catalogues[""])
    if found.reason not in set(catalogue):
        return [f"{found.place}: no reason {found.reason}"]
    needed = places(catalogue[found.reason].texts[0])
    given = found.facts - {fact for reason, fact in FURTHER if reason == found.reason}
    return [] if needed == given else [f"{found.place}: {found.reason} needs {set(needed)}, is given {set(given)}"]


CATALOGUES = {"": Catalogue(), **{name: Catalogue(manifest.reasons) for name, manifest in TARGETS.items()}}


def test_every_refusal_in_the_sources_is_declared_and_gives_its_facts() -> None:
    files = [path for folder in ("chassis", "services", "gateway") for path in (ROOT / folder).rglob("*.py")]
    found = [one for path in files for one in made(path.relative_to(ROOT), path.read_text())]
    assert len(found) > 50
    assert [fault for one in found for fault in faults(one, CATALOGUES)] == []


@pytest.mark.parametrize(
    "source",
    [
        "raise Refusal('NO_SUCH_REASON')",
        "raise domain.Refused('UNIT_NOT_FOUND')",
        "raise domain.Refused('UNIT_NOT_FOUND', unit=1, district=2)",
        "raise domain.Refused('UNIT_NOT_FOUND', units=1)",
        "raise FieldsInvalid([], 'ROWS_REFUSED')",
        "raise Refusal('DISTRICT_BUSY')",
    ],
)
def test_the_check_finds_what_is_wrong(source: str) -> None:
    (found,) = made(Path("services/registry/units.py"), source)
    assert faults(found, CATALOGUES)


def test_services_do_not_use_each_others_reasons() -> None:
    (found,) = made(Path("chassis/calls.py"), "raise Refusal('UNIT_NOT_FOUND', unit=1)")
    assert faults(found, CATALOGUES)


@pytest.mark.parametrize("name", ENUMS)
def test_both_texts_and_the_example_speak_of_the_same_facts(name: str) -> None:
    for value in ENUMS[name].values:
        meaning = value.GetOptions().Extensions[options_pb2.meaning]
        example = {fact.partition("=")[0] for fact in meaning.example}
        assert places(meaning.zh) == places(meaning.en) == example, value.name
        assert bool(value.number) == bool(meaning.code) == bool(meaning.zh) == bool(meaning.en), value.name
        assert value.name.startswith(PREFIX)
