"""Commands of `qyt`, one after another in one process of their own: to start Python for each would take the longest."""

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from tests.harness import ROOT


@dataclass(frozen=True)
class Command:
    """The words after `qyt`, and the settings."""

    words: Sequence[str]
    settings: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """The exit status, and everything that was printed."""

    status: int
    output: str


async def run_commands(commands: Sequence[Command]) -> list[Outcome]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("QYT_")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.probe.commands"),
        env=inherited | {"PYTHONPATH": f"{ROOT}:{ROOT / 'protos' / 'gen'}:{ROOT / 'client'}"},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate(json.dumps([asdict(command) for command in commands]).encode())
    assert process.returncode == 0
    return [Outcome(**outcome) for outcome in json.loads(output)]


def _run(command: Command) -> Outcome:
    from click.testing import CliRunner

    from services.__main__ import main

    result = CliRunner().invoke(main, list(command.words), env=command.settings, prog_name="qyt")
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Outcome(result.exit_code, result.output)


if __name__ == "__main__":
    json.dump([asdict(_run(Command(**command))) for command in json.load(sys.stdin)], sys.stdout)
