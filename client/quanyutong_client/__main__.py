"""`python -m quanyutong_client verify BOARD.json [--receipt RECEIPT.json]`: checks a board from the file alone.

Ends with 0 if everything holds, with 1 if anything does not, and with 2 if a file cannot be read.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from quanyutong_client.checking import check


def main(arguments: Sequence[str] | None = None) -> int:
    given = _parser().parse_args(arguments)
    return check(given.board, given.receipt, as_json=given.json)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="quanyutong_client", description="全渝通无记名表决的核验 checks secret votes")
    command = parser.add_subparsers(required=True).add_parser("verify", help="核验公示文件 check a published board")
    command.add_argument("board", type=Path, help="公示文件 the board")
    command.add_argument("--receipt", type=Path, help="回执：查找本人的选票 finds the own ballot")
    command.add_argument("--json", action="store_true", help="以 JSON 输出 for programs")
    return parser


if __name__ == "__main__":
    sys.exit(main())
