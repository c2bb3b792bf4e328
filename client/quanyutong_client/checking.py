"""Checks a board from the file alone, and says what it finds in Chinese and English."""

import json
import sys
from collections.abc import Iterator, Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from quanyutong_client.board import Board
from quanyutong_client.encoding import Malformed
from quanyutong_client.marking import choices_in
from quanyutong_client.receipt import Receipt
from quanyutong_client.tally import OptionResult, QuestionResult, Result
from quanyutong_client.terms import Question, Terms
from quanyutong_client.verification import Report, verify

SOUND, UNSOUND, UNREADABLE = 0, 1, 2


def check(board: Path, receipt: Path | None, *, as_json: bool = False) -> int:
    """0 if everything holds, 1 if anything does not, 2 if a file cannot be read."""
    _write_anything()
    try:
        found = Receipt.parse(receipt.read_bytes()) if receipt else None
        report = verify(board.read_bytes(), found)
    except (OSError, Malformed) as fault:
        print(f"无法读取 cannot read: {fault}", file=sys.stderr)
        return UNREADABLE
    lines = [_as_json(report)] if as_json else said(report)
    print("\n".join(lines))
    return SOUND if report.is_sound else UNSOUND


def _write_anything() -> None:
    """A console that lacks a character of some title shows its number, and does not stop the check."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _as_json(report: Report) -> str:
    return json.dumps(
        {
            "sound": report.is_sound,
            "findings": [found.json() for found in report.found],
            "result": report.result.json() if report.result else None,
            "own_ballot": report.own,
        },
        ensure_ascii=False,
        indent=2,
    )


def said(report: Report) -> Iterator[str]:
    """The report in lines for people."""
    if report.board:
        yield from _of_poll(report.board)
    if report.board and report.result:
        yield from _of_result(report.board.terms, report.result)
    if report.board and report.own:
        yield from _of_own(report.board.terms, report)
    yield ""
    for found in report.found:
        yield f"不符 FAIL  {found.zh}"
        yield f"           {found.en}"
    if report.is_sound:
        yield "通过 PASS  选票、签名、根哈希与结果全部相符。"
        yield "           Everything holds: papers, ballots, signatures, tree and result."


def _of_poll(board: Board) -> Iterator[str]:
    terms = board.terms
    yield f"{terms.title}（{terms.district}，{terms.poll}）"
    yield (
        f"应到 electorate {terms.electorate}，到会 present {board.present}，"
        f"发出 papers {board.papers}，收回 ballots {len(board.ballots)}"
    )
    yield f"根哈希 root {_grouped(board.root.hex())}"


def _of_result(terms: Terms, result: Result) -> Iterator[str]:
    for question, judged in zip(terms.questions, result.questions, strict=True):
        count = judged.count
        yield ""
        yield question.title
        yield f"  有效 valid {count.valid}，无效 invalid {count.invalid}，空白 blank {count.blank}"
        titles = {option.id: option.title for option in question.options}
        yield from (f"  {titles[option.id]}：{_outcome(option)}" for option in _ranked(judged))


def _ranked(judged: QuestionResult) -> Sequence[OptionResult]:
    """A selection by votes; everything else in the order of the paper."""
    return sorted(judged.options, key=lambda option: -option.votes.get("chosen", 0))


def _outcome(option: OptionResult) -> str:
    votes = " ".join(f"{word} {number}" for word, number in option.votes.items())
    average = "" if option.average is None else f" = {option.average} ≈ {float(option.average):.2f}"
    return f"{votes}{average}  {option.outcome}".rstrip()


def _of_own(terms: Terms, report: Report) -> Iterator[str]:
    yield ""
    yield f"您的选票是第 {report.own} 张。Yours is ballot {report.own}."
    if report.own_marks:
        chosen = choices_in(terms, report.own_marks)
        yield from (f"  {question.title}：{_choice(question, chosen[question.id])}" for question in terms.questions)


def _choice(question: Question, chosen: Any) -> str:
    """By title; a selection has no more to say of an option than that it was chosen."""
    words = chosen if isinstance(chosen, dict) else dict.fromkeys(chosen, "")
    marked = [f"{option.title} {words[option.id]}".strip() for option in question.options if option.id in words]
    return "，".join(marked) or "空白 blank"


def _grouped(digits: str) -> str:
    """In groups of four, to be read aloud and compared."""
    return " ".join(digits[start : start + 4] for start in range(0, len(digits), 4))
