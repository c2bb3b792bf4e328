"""`qyt`: help for everything, one clear line for each fault, and nothing that an operator must not see."""

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import click
import jwt
import pytest

from chassis.embedded.ports import free_port
from services.__main__ import main
from tests.conftest import Platforms
from tests.harness import Platform
from tests.probe.commands import Command, Outcome, run_commands

# Bound and not listening: nobody answers there, and nobody else can take it.
SILENT = socket.socket()
SILENT.bind(("127.0.0.1", 0))
NOBODY = f"127.0.0.1:{SILENT.getsockname()[1]}"


@dataclass(frozen=True)
class Case:
    """A command under some settings, its status, and what it says (the whole last line, where it fails)."""

    arguments: str
    status: int
    says: str
    settings: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return " ".join([self.arguments, *(f"{name}={value}" for name, value in self.settings)])


def case(arguments: str, status: int, says: str, **settings: str) -> Case:
    return Case(arguments, status, says, tuple((f"QYT_{name.upper()}", value) for name, value in settings.items()))


# The log, the reminder of how a command is used, and progress.
NOT_THE_FAULT = ("{", "Usage:", "Try ", "replaying")
PRODUCTION = {"environment": "production"}
NO_TOKEN = (
    "Error: development tokens exist only with QYT_ENVIRONMENT=development and without QYT_JWKS; "
    "get a token from the identity provider that QYT_JWKS belongs to"
)
NO_NATS = "Error: nats: no servers available for connection"
FAULTS = [
    case("token --role clerk", 1, NO_TOKEN, **PRODUCTION),
    case("token --role clerk", 1, NO_TOKEN, jwks="https://somewhere/jwks.json"),
    case("token --role king", 1, "Error: unknown role king; the roles are "),
    case("token", 2, "Error: Missing option '--role'."),
    case("config", 1, "Error: unknown setting QYT_DATABSE_URL; `qyt config` lists those that exist", databse_url="x"),
    case("config", 1, "Error: QYT_DATABASE_POOL: Input should be greater than or equal to 1", database_pool="0"),
    case("migrate --target ballotz", 2, "Error: Invalid value for --target: no service ballotz"),
    case("migrate", 1, "Error: ", database_url=f"postgresql://x:y@{NOBODY}/z"),
    case("dlq list", 1, NO_NATS, nats_url=f"nats://{NOBODY}"),
    case("dlq replay", 2, "Error: name the numbers to replay, or --all"),
    case("dlq replay 1 --all", 2, "Error: name the numbers to replay, or --all"),
    case("dlq replay 999999", 1, "Error: there is no dead letter 999999; `qyt dlq list` shows them", nats_url="CITY"),
    case("dlq list --limit 0", 2, "Error: Invalid value for '--limit': "),
    case("serve --target ballotz", 2, "Error: Invalid value for '--target': 'ballotz' is not one of "),
    case("serve --target gateway", 1, "Error: QYT_NATS_URL is needed by a gateway that runs alone"),
    case("serve --target registry", 1, NO_NATS, database_url="CITY", nats_url=f"nats://{NOBODY}"),
    case("serve --target registry", 1, "Error: ", database_url=f"postgresql://x:y@{NOBODY}/z", nats_url="CITY"),
    case(
        "serve --target registry",
        1,
        "Error: the schema of registry is at nothing",
        database_url="EMPTY",
        nats_url="CITY",
    ),
    case(
        "serve --target registry", 1, "Error: cannot listen on ", database_url="CITY", nats_url="CITY", listen="TAKEN"
    ),
    case("districts list", 1, "Error: no platform runs here; set QYT_GATEWAY_URL to where its gateway is"),
    case("districts export 500102 --output x.zip", 1, "Error: QYT_DATABASE_URL is needed"),
    case("districts export 899999 --output x.zip", 1, "Error: there is no district 899999", database_url="CITY"),
    case("districts import x.zip", 2, "Error: Invalid value for 'FILE': "),
    case("districts erase 500102 --by x --yes-erase 500103", 2, "Error: Invalid value for --yes-erase: it is not "),
    case("districts erase 500102 --by x --yes-erase 500102", 1, "Error: QYT_NATS_URL is needed: ", database_url="CITY"),
    case("migrate", 1, "Error: QYT_SILOS: ", database_url="CITY", silos='{"500102":"hush"}'),
    case("nonsense", 2, "Error: No such command 'nonsense'."),
]
GOOD = [
    case("token --role clerk --district 500101", 0, "eyJ"),
    case("events map", 0, "qyt.<district>.registry.mandate_confirmed  registry -> "),
    case("config", 0, "* QYT_LOG_LEVEL=error", log_level="error"),
    case("config --changed", 0, "* QYT_REGISTRY_DATABASE_POOL=3", registry_database_pool="3"),
    case("config", 0, "* QYT_NATS_URL=**********", nats_url="nats://user:hush@host", registry_database_url="hush"),
    case("config", 0, "* QYT_SILOS=**********", silos='{"500102":"postgresql://user:hush@host/silo"}'),
    case("dlq list", 0, "no dead letters in QYT_DEAD", nats_url="CITY"),
    case("migrate", 0, "registry: up to date", database_url="CITY"),
]


@pytest.fixture(scope="module")
async def said(platforms: Platforms, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """What every case said, and every help."""
    city = await platforms.get("all")
    helps = [Command([*path, "--help"]) for path in every_command(main)]
    with socket.create_server(("127.0.0.1", free_port())) as other:
        places = {"EMPTY": await empty_database(city), "TAKEN": f"127.0.0.1:{other.getsockname()[1]}"}
        folders = tmp_path_factory.mktemp("states")
        cases = [command(each, city, places, folders / str(place)) for place, each in enumerate(FAULTS + GOOD)]
        outcomes = await run_commands([*helps, *cases])
    words = [" ".join(each.words) for each in helps]
    return dict(zip([*words, *map(str, FAULTS + GOOD)], outcomes, strict=True))


def every_command(group: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The words of every command and group."""
    yield path
    if isinstance(group, click.Group):
        context = click.Context(group)
        for name in group.list_commands(context):
            found = group.get_command(context, name)
            assert found
            yield from every_command(found, (*path, name))


async def empty_database(city: Platform) -> str:
    """A database in which nothing was ever migrated."""
    connection = await asyncpg.connect(city.postgres.url)
    await connection.execute("CREATE DATABASE nothing_yet")
    await connection.close()
    return city.postgres.url.rpartition("/")[0] + "/nothing_yet"


def command(case: Case, city: Platform, places: dict[str, str], state: Path) -> Command:
    settings = {name: places.get(value, value) for name, value in case.settings}
    for name, value in case.settings:
        if value == "CITY":
            settings[name] = city.environment[name]
    return Command(case.arguments.split(), {"QYT_STATE": str(state), **settings})


@pytest.mark.parametrize("fault", FAULTS, ids=str)
async def test_fault_is_one_line(said: dict[str, Outcome], fault: Case) -> None:
    answer = said[str(fault)]
    lines = [line for line in answer.output.splitlines() if line.strip() and not line.startswith(NOT_THE_FAULT)]
    assert answer.status == fault.status
    assert len(lines) == 1
    assert lines[-1].startswith(fault.says)
    assert lines[-1] != fault.says or not fault.says.endswith(" ")
    assert "Traceback" not in answer.output


@pytest.mark.parametrize("good", GOOD, ids=str)
async def test_command_that_succeeds(said: dict[str, Outcome], good: Case) -> None:
    answer = said[str(good)]
    assert answer.status == 0, answer.output
    assert good.says in answer.output
    assert "hush" not in answer.output


async def test_everything_has_help(said: dict[str, Outcome]) -> None:
    helps = {words: answer for words, answer in said.items() if words.endswith("--help")}
    assert helps.keys() >= {
        f"{words} --help".strip()
        for words in ("", "serve", "migrate", "config", "token", "districts suspend", "events map", "dlq replay")
    }
    for words, answer in helps.items():
        assert answer.status == 0
        usage, _, description, *_ = answer.output.splitlines()
        assert usage.startswith(f"Usage: qyt {words.removesuffix('--help')}".rstrip())
        assert description.strip(), words


async def test_token_says_what_was_asked(said: dict[str, Outcome]) -> None:
    claims = jwt.decode(
        said["token --role clerk --district 500101"].output.strip(), options={"verify_signature": False}
    )
    assert (claims["sub"], claims["district"], claims["roles"]) == ("developer", "500101", ["clerk"])
    assert 3590 < claims["exp"] - claims["iat"] <= 3600


async def test_config_shows_every_setting(said: dict[str, Outcome]) -> None:
    output = said["config QYT_LOG_LEVEL=error"].output
    shown = {line[2:].partition("=")[0] for line in output.splitlines() if line[2:].startswith("QYT_")}
    assert shown >= {"QYT_STATE", "QYT_DATABASE_URL", "QYT_GATEWAY_LISTEN", "QYT_TRACE_SHARE"}
    assert [line for line in output.splitlines() if line.startswith("* ")] >= ["* QYT_LOG_LEVEL=error"]
