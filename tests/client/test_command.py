"""The command that anybody runs on a published board."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from quanyutong_client import Voter
from quanyutong_client.__main__ import main
from tests.client.hall import Hall


@pytest.fixture
def board(hall: Hall, voters: list[Voter], tmp_path: Path) -> Path:
    path = tmp_path / "board.json"
    path.write_bytes(hall.board().text())
    return path


def test_a_sound_board(hall: Hall, board: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(board)]) == 0
    said = capsys.readouterr().out
    assert hall.terms.title in said
    assert "chosen 2  adopted" in said
    assert hall.board().root.hex() == said.split("根哈希 root ")[1].split("\n")[0].replace(" ", "")


def test_a_delegate_finds_the_own_ballot(
    voters: list[Voter], board: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    receipt = tmp_path / "delegate-1" / "receipt.json"
    assert main(["verify", str(board), "--receipt", str(receipt)]) == 0
    said = capsys.readouterr().out
    place = voters[1].verify(board.read_bytes()).own
    assert f"Yours is ballot {place}." in said
    assert "工作评议1 satisfied，工作评议2 dissatisfied" in said
    assert "空白 blank" in said


def test_an_unsound_board(board: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = json.loads(board.read_text())
    said["papers"] = 3
    board.write_text(json.dumps(said))
    assert main(["verify", str(board)]) == 1
    assert "4 > 3" in capsys.readouterr().out
    assert main(["verify", str(board), "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert not report["sound"]
    assert [found["finding"] for found in report["findings"]] == [
        "ROOT_NOT_SIGNED",
        "MORE_BALLOTS_THAN_PAPERS",
        "TALLY_DIFFERS",
    ]
    assert report["result"]["turnout"]["void"]


def test_files_that_cannot_be_read(board: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(tmp_path / "nothing.json")]) == 2
    assert main(["verify", str(board), "--receipt", str(board)]) == 2
    assert capsys.readouterr().out == ""
    (tmp_path / "empty.json").write_text("{}")
    assert main(["verify", str(tmp_path / "empty.json")]) == 1


ALONE = """
import sys
from quanyutong_client.__main__ import main
assert main(["verify", sys.argv[1]]) == 0
assert ".whl" in sys.modules["quanyutong_client"].__file__
assert not {"chassis", "services", "gateway", "quanyutong", "grpc", "gmpy2"} & set(sys.modules)
"""


def test_the_distribution_needs_nothing_else_of_the_platform(board: Path, tmp_path: Path) -> None:
    """Its wheel is built, and checks a board by itself."""
    client = Path(__file__).parents[2] / "client"
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=client, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("quanyutong_client-*.whl")
    run = [sys.executable, "-c", ALONE, str(board)]
    done = subprocess.run(
        run, capture_output=True, text=True, cwd="/", env={"PYTHONPATH": str(wheel), "PYTHONUTF8": "1"}, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Everything holds" in done.stdout
