"""What can be wrong with a board, in Chinese and in English."""

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple


class Texts(NamedTuple):
    zh: str
    en: str


class Finding(Enum):
    """Each says what does not hold; `{detail}` is what makes it concrete."""

    UNREADABLE = Texts("公示文件无法读取：{detail}。", "The board cannot be read: {detail}.")
    BALLOT_MALFORMED = Texts("选票格式不正确：{detail}。", "A ballot is malformed: {detail}.")
    BALLOT_OF_OTHER_POLL = Texts(
        "选票属于另一次表决，或表决事项已被改动。", "A ballot is of another poll, or of other terms."
    )
    PAPER_NOT_SIGNED = Texts("选票不是本次表决发出的。", "A ballot's paper was not issued in this poll.")
    BALLOT_NOT_SIGNED = Texts("选票内容与其签名不符。", "A ballot is not what the holder of its paper signed.")
    KEY_TWICE = Texts("同一张选票出现两次。", "One paper has two ballots.")
    OUT_OF_ORDER = Texts("选票未按公钥排序。", "The ballots are not in the order of their keys.")
    ROOT_DIFFERS = Texts(
        "根哈希与选票不符，应为 {detail}。", "The root is not that of these ballots, which is {detail}."
    )
    ROOT_NOT_SIGNED = Texts(
        "根哈希或票数与公示签名不符。", "The root or the numbers are not what the board's key signed."
    )
    MORE_BALLOTS_THAN_PAPERS = Texts(
        "收回的选票多于发出的选票：{detail}。投票无效。", "More ballots than papers: {detail}. The vote is void."
    )
    MORE_PAPERS_THAN_ELECTORATE = Texts(
        "发出的选票多于应到代表：{detail}。", "More papers than there are delegates entitled to vote: {detail}."
    )
    MORE_PRESENT_THAN_ELECTORATE = Texts(
        "到会人数多于应到代表：{detail}。", "More are present than there are delegates entitled to vote: {detail}."
    )
    TALLY_DIFFERS = Texts(
        "公布的结果与重新计票不符：{detail}。", "The result is not what counting again gives: {detail}."
    )
    RECEIPT_OF_OTHER_POLL = Texts(
        "回执属于另一次表决，或表决事项已被改动。", "The receipt is of another poll, or of other terms."
    )
    RECEIPT_NOT_SIGNED = Texts("回执不是票箱签发的。", "The receipt was not given by the ballot box.")
    RECEIPT_NOT_ON_BOARD = Texts(
        "公示中没有回执所对应的选票；票箱签发的回执是其已收到该选票的证明。",
        "The receipt's ballot is not on the board. The signed receipt proves that the box took it.",
    )


@dataclass(frozen=True, slots=True)
class Found:
    """A finding, once for each kind. `ballot`: place of the first that it is about, from 1; `others`: how many more."""

    finding: Finding
    detail: str = ""
    ballot: int | None = None
    key: str = ""
    others: int = 0

    @property
    def zh(self) -> str:
        place = f"第 {self.ballot} 张" + (f"（公钥 {self.key[:16]}…）" if self.key else "") if self.ballot else ""
        more = f"（另有 {self.others} 张）" if self.others else ""
        return " ".join(part for part in (place, self.finding.value.zh.format(detail=self.detail), more) if part)

    @property
    def en(self) -> str:
        place = f"Ballot {self.ballot}" + (f" (key {self.key[:16]}…)" if self.key else "") + ":" if self.ballot else ""
        more = f"({self.others} more like it)" if self.others else ""
        return " ".join(part for part in (place, self.finding.value.en.format(detail=self.detail), more) if part)

    def json(self) -> dict[str, object]:
        return {
            "finding": self.finding.name,
            "ballot": self.ballot,
            "key": self.key,
            "others": self.others,
            "zh": self.zh,
            "en": self.en,
        }
