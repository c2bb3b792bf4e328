"""A published board of which anything was changed: bits of every part of it, and whole parts. `verify` finds it."""

import copy
import json
import re
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quanyutong_client import Voter, verify
from quanyutong_client.ballot import Ballot
from quanyutong_client.encoding import canonical
from tests.client.hall import Hall, grades, paper_key, terms_of, voted

Json = dict[str, Any]
# What stands behind each name: a text with its quotes, a number, or the opening of a list or object.
NAMED = re.compile(rb'"(\w+)": ?("(?:[^"\\]|\\.)*"|-?\d+|true|false|[\[{])')
BASE64 = re.compile(rb'"([A-Za-z0-9+/]{400,}={0,2})"')


def parts_of(text: bytes) -> dict[str, list[tuple[int, int]]]:
    """Spans of bytes by what stands there: each member's values by its name, ballots, and all the rest."""
    spans: dict[str, list[tuple[int, int]]] = {}
    for found in NAMED.finditer(text):
        spans.setdefault(found[1].decode(), []).append(found.span(2))
        spans.setdefault("names", []).append(found.span(1))
    spans["ballots"] = [found.span(1) for found in BASE64.finditer(text)]
    spans["marks"] = [(at, at + 1) for at, byte in enumerate(text) if byte in b"{}[],:"]
    return spans


def meaning(text: bytes) -> Any:
    """None of what is no JSON in UTF-8. Python reads a member twice and NaN as well, which a board may not have."""
    try:
        return json.loads(text.decode())
    except ValueError:
        return None


async def test_any_bit_of_any_part(hall: Hall, voters: list[Voter]) -> None:
    text = hall.board().text()
    spans = parts_of(text)
    assert len(spans["ballots"]) == len(hall.ballots)
    assert {"format", "terms", "present", "papers", "root", "signature", "paper_key", "rule", "chosen"} <= set(spans)
    meant = meaning(text)
    assert verify(text).is_sound

    @settings(max_examples=600, deadline=None)
    @given(st.data())
    def flipped(choice: st.DataObject) -> None:
        begin, end = choice.draw(st.sampled_from(spans[choice.draw(st.sampled_from(sorted(spans)))]))
        at, bit = choice.draw(st.integers(begin, end - 1)), choice.draw(st.integers(0, 7))
        other = text[:at] + bytes([text[at] ^ 1 << bit]) + text[at + 1 :]
        # A line feed for a comma's blank is no change; a name in other letters is one.
        assert verify(other).is_sound == (meaning(other) == meant)

    flipped()


async def test_any_bit_of_a_ballot(hall: Hall, voters: list[Voter]) -> None:
    """Of what is in the base64: of every field, those that say how long others are too."""
    said = json.loads(hall.board().text())
    ballot = Ballot.decode(hall.board().ballots[1]).encoded()
    for at in range(len(ballot)):
        changed = bytearray(ballot)
        changed[at] ^= 1 << at % 8
        said["ballots"][1] = b64encode(changed).decode()
        assert not verify(canonical(said)).is_sound, at


async def test_base64_has_one_form(hall: Hall, voters: list[Voter]) -> None:
    """Bits that no byte needs: another text of the same signature."""
    said = json.loads(hall.board().text())
    signature = said["signature"]
    assert signature.endswith("==")
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    said["signature"] = f"{signature[:-3]}{letters[letters.index(signature[-3]) ^ 1]}=="
    assert not verify(canonical(said)).is_sound


# --- whole parts

ALTERED: dict[str, Callable[[Json], None]] = {
    "a ballot dropped": lambda board: board["ballots"].pop(2),
    "all ballots dropped": lambda board: board["ballots"].clear(),
    "two ballots exchanged": lambda board: board["ballots"].insert(0, board["ballots"].pop(1)),
    "a ballot twice": lambda board: board["ballots"].insert(1, board["ballots"][1]),
    "one ballot in the place of another": lambda board: board["ballots"].__setitem__(0, board["ballots"][1]),
    "more papers": lambda board: board.update(papers=board["papers"] + 1),
    "fewer papers": lambda board: board.update(papers=board["papers"] - 1),
    "fewer present": lambda board: board.update(present=board["present"] - 1),
    "another electorate": lambda board: board["terms"].update(electorate=board["terms"]["electorate"] + 1),
    "another title": lambda board: board["terms"].update(title="另一次表决"),
    "another district": lambda board: board["terms"].update(district="500101"),
    "another poll": lambda board: board["terms"].update(poll="another"),
    "candidates exchanged": lambda board: board["terms"]["questions"][0]["options"].reverse(),
    "a candidate renamed": lambda board: board["terms"]["questions"][0]["options"][0].update(title="另一项目"),
    "another number of places": lambda board: board["terms"]["questions"][0]["rule"].update(places=1),
    "another rule of ties": lambda board: board["terms"]["questions"][0]["rule"].update(tie_at_last_place="run_off"),
    "another rule version": lambda board: board["terms"]["questions"][0].update(rule_versions=["other@2020-01-01"]),
    "questions exchanged": lambda board: board["terms"]["questions"].reverse(),
    "a question less": lambda board: board["terms"]["questions"].pop(),
    "a question more": lambda board: board["terms"]["questions"].append(grades(1) | {"id": "more"}),
    "the board's key": lambda board: board["terms"].update(board_key=b64encode(bytes(32)).decode()),
    "another key for papers": lambda board: board["terms"].update(paper_key=b64encode(paper_key(1).public).decode()),
    "more votes": lambda board: board["tally"]["questions"][0]["options"][0]["votes"].update(chosen=99),
    "votes exchanged": lambda board: board["tally"]["questions"][0]["options"].reverse(),
    "another outcome": lambda board: board["tally"]["questions"][0]["options"][0].update(outcome="not_adopted"),
    "another turnout": lambda board: board["tally"]["turnout"].update(ballots=3),
    "no result": lambda board: board.pop("tally"),
    "no signature": lambda board: board.pop("signature"),
    "a member more": lambda board: board.update(note=""),
    "a member more of the result": lambda board: board["tally"].update(note=""),
}


@pytest.mark.parametrize("what", ALTERED)
async def test_whole_parts(hall: Hall, voters: list[Voter], what: str) -> None:
    board = json.loads(hall.board().text())
    changed = copy.deepcopy(board)
    ALTERED[what](changed)
    assert changed != board
    assert not verify(canonical(changed)).is_sound


async def test_a_board_of_the_same_delegates_in_another_poll(hall: Hall, voters: list[Voter], tmp_path: Any) -> None:
    """Ballots of one poll do not count in another one with the same key and the same delegates."""
    other = Hall(terms_of(poll="another", electorate=5))
    await voted(other, tmp_path / "other", [{"projects": ["p01"]}])
    said = json.loads(other.board().text())
    said["ballots"] = sorted([*said["ballots"], json.loads(hall.board().text())["ballots"][0]])
    found = {each.finding.name for each in verify(canonical(said)).found}
    assert {"BALLOT_OF_OTHER_POLL", "ROOT_DIFFERS", "TALLY_DIFFERS"} <= found
