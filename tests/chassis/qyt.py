"""Runs commands of `qyt` one after another in one process: starting Python for each would take the longest.

    python qyt.py < requests > results

Both are JSON: a list of {arguments, environment}, and a list of {status, output} for the same commands.
"""

import json
import sys
from typing import Any

import click
from click.testing import CliRunner

from services.__main__ import main


def run(arguments: list[str], environment: dict[str, str]) -> dict[str, Any]:
    result = CliRunner().invoke(main, arguments, env=environment, prog_name="qyt")
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return {"status": result.exit_code, "output": result.output}


def every_command(command: click.Command, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """The words of every command and group."""
    found = [path]
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found += every_command(command.get_command(context, name) or click.Command(name), (*path, name))
    return found


if __name__ == "__main__":
    asked = json.load(sys.stdin)
    helps = {" ".join([*path, "--help"]): run([*path, "--help"], {}) for path in every_command(main)}
    json.dump({"helps": helps, "results": [run(**each) for each in asked]}, sys.stdout)
