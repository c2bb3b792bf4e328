"""The terms of a poll: everything that a delegate should know, and agree with everybody else on, before voting.

Their digest stands in every paper, ballot, receipt and signed root. Whoever changes a title, a rule, a key or the size
of the electorate afterwards has another poll, and every ballot shows it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from quanyutong_client import blindrsa
from quanyutong_client.encoding import Malformed, canonical, fields
from quanyutong_client.reading import Members, base64
from quanyutong_client.rules import KINDS, Rule, Select

LABEL: Final = "quanyutong.terms.v1"
DISTRICT: Final = re.compile("[0-9]{6}")
IDENTIFIER: Final = re.compile("[0-9a-z][0-9a-z._-]{0,63}")
KEY_BYTES: Final = 32
MOST_QUESTIONS, MOST_OPTIONS = 100, 1000


@dataclass(frozen=True, slots=True)
class Option:
    """A candidate of a selection, or an item that is scored, graded or moved."""

    id: str
    title: str

    def json(self) -> dict[str, Any]:
        return {"id": self.id, "title": self.title}

    @classmethod
    def read(cls, members: Members) -> "Option":
        return cls(_identifier(members), members.text("title"))


@dataclass(frozen=True, slots=True)
class Question:
    """One question: options in the order of the paper, its rule, and the versions of the institution's rules."""

    id: str
    title: str
    options: tuple[Option, ...]
    rule: Rule
    rule_versions: tuple[str, ...]

    def json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "title": self.title,
            "kind": self.rule.kind,
            "options": [option.json() for option in self.options],
            "rule": self.rule.json(),
            "rule_versions": list(self.rule_versions),
        }

    @classmethod
    def read(cls, members: Members) -> "Question":
        kind = KINDS[members.one_of("kind", KINDS)]
        rule = members.members("rule")
        question = cls(
            _identifier(members),
            members.text("title"),
            members.each("options", Option.read),
            kind.read(rule),
            members.texts("rule_versions"),
        )
        rule.done()
        _check_distinct([option.id for option in question.options], MOST_OPTIONS, f"{members.place}.options")
        if isinstance(question.rule, Select) and question.rule.places > len(question.options):
            raise Malformed(f"{members.place} has more places than options")
        return question


@dataclass(frozen=True)
class Terms:
    """`electorate`: how many may vote. `paper_key`: the poll's RSA key, as SubjectPublicKeyInfo in DER, that papers are
    signed with. `board_key`: the Ed25519 key, 32 bytes, that receipts and the root are signed with."""

    district: str
    poll: str
    title: str
    electorate: int
    paper_key: bytes
    board_key: bytes
    questions: tuple[Question, ...]

    @cached_property
    def digest(self) -> bytes:
        return sha256(fields(LABEL, canonical(self.json()))).digest()

    @cached_property
    def paper_public_key(self) -> RSAPublicKey:
        return blindrsa.read_key(self.paper_key)

    @cached_property
    def board_public_key(self) -> Ed25519PublicKey:
        return Ed25519PublicKey.from_public_bytes(self.board_key)

    def json(self) -> dict[str, Any]:
        return {
            "district": self.district,
            "poll": self.poll,
            "title": self.title,
            "electorate": self.electorate,
            "paper_key": base64(self.paper_key),
            "board_key": base64(self.board_key),
            "questions": [question.json() for question in self.questions],
        }

    @classmethod
    def read(cls, members: Members) -> "Terms":
        """Raises Malformed; keys are read too, so that terms which are there can be voted on."""
        terms = cls(
            matching(members, "district", DISTRICT),
            matching(members, "poll", IDENTIFIER),
            members.text("title"),
            members.whole_number("electorate"),
            members.raw("paper_key"),
            members.raw("board_key", KEY_BYTES),
            members.each("questions", Question.read),
        )
        members.done()
        _check_distinct([question.id for question in terms.questions], MOST_QUESTIONS, f"{members.place}.questions")
        blindrsa.read_key(terms.paper_key)
        return terms

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> "Terms":
        return cls.read(Members(value, "terms"))


def _identifier(members: Members) -> str:
    return matching(members, "id", IDENTIFIER)


def matching(members: Members, name: str, pattern: re.Pattern[str]) -> str:
    value = members.text(name)
    if not pattern.fullmatch(value):
        raise Malformed(f"{members.place}.{name} is not of the form {pattern.pattern}")
    return value


def _check_distinct(ids: list[str], most: int, place: str) -> None:
    if not 1 <= len(ids) <= most or len(set(ids)) < len(ids):
        raise Malformed(f"{place}: from 1 to {most}, each with an id of its own")
