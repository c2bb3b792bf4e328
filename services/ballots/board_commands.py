"""`qyt ballots`: checks a published vote, from its file alone."""

import sys
from pathlib import Path

import click

from quanyutong_client.checking import check


@click.group("ballots")
def ballots() -> None:
    """Secret votes."""


@ballots.command("verify")
@click.argument("board", type=click.Path(path_type=Path))
@click.option("--receipt", type=click.Path(path_type=Path), help="finds the own ballot on the board")
@click.option("--json", "as_json", is_flag=True, help="prints the report for programs")
def verify(board: Path, receipt: Path | None, as_json: bool) -> None:
    """Recompute a published board: papers, signatures, tree, root and result. Offline.

    Ends with 0 if everything holds, 1 if anything does not, 2 if a file cannot be read.
    """
    sys.exit(check(board, receipt, as_json=as_json))
