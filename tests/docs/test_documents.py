"""What README and docs name is there: files, settings, commands, make's targets, reasons."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from chassis.errors import Catalogue
from chassis.settings import Settings
from quanyutong.ballots.v1 import errors_pb2 as of_ballots
from quanyutong.feedback.v1 import errors_pb2 as of_feedback
from quanyutong.meetings.v1 import errors_pb2 as of_meetings
from quanyutong.registry.v1 import errors_pb2 as of_registry
from services.__main__ import TARGETS, main
from tests.harness import ROOT

ERRORS = (of_registry, of_meetings, of_ballots, of_feedback)
DOCUMENTS = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")
FILE = re.compile(r"`([\w.-]+(?:/[\w.-]+)*\.(?:py|proto|toml|md|csv))`")
SETTING = re.compile(r"\bQYT_[A-Z_]+\b")
COMMAND = re.compile(r"\bqyt ([a-z]+)(?: ([a-z]+))?")
TARGET = re.compile(r"(?:`|^)make ([a-z]+)", re.MULTILINE)
REASON = re.compile(r"`([A-Z]+(?:_[A-Z]+)+)`")
# Examples that a reader is to make, streams of NATS, and the placeholder of the settings.
NOT_THERE_YET = {"0002_unit_successor.py", "districts.csv"}
NO_SETTINGS = {"QYT_DEAD", "QYT_COMMON", "QYT_REGISTRY", "QYT_X", "QYT_REGISTRY_X", "QYT_"}
# gRPC's status codes, and what the worked example declares.
NO_REASONS = {
    "FAILED_PRECONDITION",
    "DEADLINE_EXCEEDED",
    "RESOURCE_EXHAUSTED",
    "NO_SIDE_EFFECTS",
    "POLL_METHOD_PAPER",
    "UNIT_CLOSED",
    "READ_ONLY",
}


def _found(pattern: re.Pattern[str], document: Path) -> Iterator[tuple[str, ...]]:
    return (match.groups() or (match[0],) for match in pattern.finditer(document.read_text()))


@pytest.fixture(params=DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def document(request: pytest.FixtureRequest) -> Path:
    return Path(request.param)


def test_links_lead_somewhere(document: Path) -> None:
    assert [link for (link,) in _found(LINK, document) if not (document.parent / link).exists()] == []


def test_files_are_there(document: Path) -> None:
    tracked = [
        path
        for part in ("chassis", "client", "gateway", "services", "protos", "tests", "bench")
        for path in (ROOT / part).rglob("*")
    ]
    names = {path.name for path in tracked}
    wanted = {name for (name,) in _found(FILE, document)} - NOT_THERE_YET
    assert [name for name in wanted if not ((ROOT / name).exists() if "/" in name else name in names)] == []


def test_settings_exist(document: Path) -> None:
    services = [f"QYT_{service.upper()}_" for service in TARGETS]
    known = {f"{prefix}{name.upper()}" for prefix in ("QYT_", *services) for name in Settings.model_fields}
    assert {name for (name,) in _found(SETTING, document)} - known - NO_SETTINGS == set()


def test_commands_exist(document: Path) -> None:
    context = click.Context(main)
    for name, below in _found(COMMAND, document):
        command = main.get_command(context, name)
        assert command, f"qyt {name}"
        if below and isinstance(command, click.Group):
            assert command.get_command(context, below), f"qyt {name} {below}"


def test_targets_of_make_exist(document: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {name for (name,) in _found(TARGET, document)} <= targets


def test_reasons_are_declared(document: Path) -> None:
    declared = {name for errors in ERRORS for name in Catalogue(errors.ErrorReason.DESCRIPTOR)}
    wanted = {name for (name,) in _found(REASON, document) if not name.startswith(("QYT_", "OTEL_", "PGSSL"))}
    assert wanted - declared - NO_REASONS == set()
