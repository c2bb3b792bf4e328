"""A delegate's side of a poll: take a paper, cast the ballot, keep the receipt, check the board.

Each step is kept before the next one is made, so a step can be cut anywhere and asked for again:

    secret kept ─▶ paper taken and kept ─▶ ballot kept, then cast ─▶ receipt kept

Whatever was cut, the bytes that are sent again are the same. A lost folder is a lost paper: nobody can make another.
"""

import secrets
from pathlib import Path
from typing import ClassVar, Protocol, Self

from quanyutong_client.ballot import Ballot, Paper, fill_in
from quanyutong_client.derivation import SECRET_BYTES, derive
from quanyutong_client.encoding import Malformed, canonical
from quanyutong_client.keeping import Keeper
from quanyutong_client.marking import ChoiceRefused, Choices, marks_of, over_full
from quanyutong_client.reading import Members, base64
from quanyutong_client.receipt import Receipt
from quanyutong_client.terms import Terms
from quanyutong_client.verification import Report, verify

SECRET, PAPER, BALLOT, RECEIPT = "secret.json", "paper.json", "ballot.bin", "receipt.json"


class Desk(Protocol):
    """Hands out papers. The call says who the delegate is."""

    async def take(self, blinded: bytes) -> bytes:
        """The blind signature. The same blinded message gets the same answer; another one of the same delegate none."""


class Box(Protocol):
    """Takes ballots. The call must not say who casts: another token, another connection than the desk's."""

    async def cast(self, ballot: bytes) -> bytes:
        """The signature of the receipt. The same ballot gets the same answer; another one of the same paper none."""


class StepRefused(Exception):
    """This step cannot be made now. `zh` and `en` say why, in words for the delegate."""

    zh: ClassVar[str]
    en: ClassVar[str]

    def __init__(self) -> None:
        super().__init__(f"{self.zh} {self.en}")


class NoPaperYet(StepRefused):
    zh = "还没有选票，请先领票。"
    en = "There is no paper, or no ballot, yet: take a paper first."


class OtherTerms(StepRefused):
    zh = "表决事项与领票时不同，请与工作人员核对。"
    en = "The terms are not those that this vote was begun with."


class AlreadyVoted(StepRefused):
    zh = "已经投票，内容不能更改。"
    en = "This vote has been made, and says something else."


class ReceiptRefused(StepRefused):
    zh = "票箱的回执无效，请重新提交，并告知监票人。"
    en = "The box gave no receipt for this ballot: cast again, and tell the scrutineers."


class Voter:
    """One delegate in one poll. `folder` belongs to the two of them alone; it is made if it is not there."""

    def __init__(self, folder: Path, terms: Terms) -> None:
        """Begins the vote, or goes on where it was cut. Raises OtherTerms, and Malformed if a file was damaged."""
        self.terms = terms
        self._keeper = Keeper(folder)
        self._derived = derive(self._secret(), terms)

    @classmethod
    def resume(cls, folder: Path) -> Self:
        """Goes on with a vote whose terms are in its folder. Raises FileNotFoundError where none was begun."""
        return cls(folder, _terms_in((folder / SECRET).read_bytes()))

    @property
    def has_paper(self) -> bool:
        return self._keeper.read(PAPER) is not None

    @property
    def ballot(self) -> Ballot | None:
        """The ballot that was made, whether or not the box has it."""
        kept = self._keeper.read(BALLOT)
        return Ballot.decode(kept) if kept is not None else None

    @property
    def receipt(self) -> Receipt | None:
        kept = self._keeper.read(RECEIPT)
        return Receipt.parse(kept) if kept is not None else None

    async def take(self, desk: Desk) -> None:
        """Takes the paper. After a lost answer, call again. Raises BlindSignatureRefused."""
        if not self.has_paper:
            answer = await desk.take(self._derived.blinded(self.terms).message)
            paper = self._derived.paper(self.terms, answer)
            self._keeper.keep(PAPER, canonical({"signature": base64(paper.signature)}))

    async def cast(self, box: Box, choices: Choices, *, spoil: bool = False) -> Receipt:
        """Casts the ballot and keeps the receipt. After a lost answer, call again, or `cast_again`.

        A ballot with more marks than places does not count: it is made only on purpose (`spoil`). Raises ChoiceRefused,
        NoPaperYet, AlreadyVoted, ReceiptRefused.
        """
        marks = marks_of(self.terms, choices)
        spoilt = over_full(self.terms, marks)
        if spoilt and not spoil:
            raise ChoiceRefused(f"more marks than places: {', '.join(spoilt)}")
        ballot = fill_in(self.terms, self._paper(), marks, self._derived.key).encoded()
        if self._keeper.keep(BALLOT, ballot) != ballot:
            raise AlreadyVoted
        return await self.cast_again(box)

    async def cast_again(self, box: Box) -> Receipt:
        """Sends the ballot that was made, unless its receipt is there. Raises NoPaperYet where no ballot was made."""
        if self.receipt:
            return self.receipt
        ballot = self.ballot
        if not ballot:
            raise NoPaperYet
        receipt = Receipt.of(self.terms, ballot.leaf(), await box.cast(ballot.encoded()))
        if not receipt.is_signed(self.terms):
            raise ReceiptRefused
        self._keeper.keep(RECEIPT, canonical(receipt.json()))
        return receipt

    def verify(self, board: bytes) -> Report:
        """Checks the published board, and that the own ballot is on it."""
        return verify(board, self.receipt)

    def _secret(self) -> bytes:
        fresh = {"secret": base64(secrets.token_bytes(SECRET_BYTES)), "terms": self.terms.json()}
        kept = self._keeper.read(SECRET) or self._keeper.keep(SECRET, canonical(fresh))
        if _terms_in(kept).digest != self.terms.digest:
            raise OtherTerms
        return Members.of(kept, SECRET).raw("secret", SECRET_BYTES)

    def _paper(self) -> Paper:
        kept = self._keeper.read(PAPER)
        if kept is None:
            raise NoPaperYet
        derived = self._derived
        paper = Paper(derived.public_key, derived.prefix, Members.of(kept, PAPER).raw("signature"))
        if not paper.is_genuine(self.terms):
            raise Malformed(f"{PAPER} is damaged")
        return paper


def _terms_in(kept: bytes) -> Terms:
    return Terms.read(Members.of(kept, SECRET).members("terms"))
