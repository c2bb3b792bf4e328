"""Refusals: raised where a fault is known, turned into a status once, at the edge.

A reason is a value of an `ErrorReason` enum in some errors.proto. The option
`meaning` on that value is the only place that says its status code and its
text in Chinese and English. A reason is named here without its prefix.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Protocol, runtime_checkable

import grpc
from google.protobuf import duration_pb2
from google.protobuf.descriptor import EnumDescriptor
from google.rpc import error_details_pb2, status_pb2

from quanyutong.common.v1 import errors_pb2 as common
from quanyutong.options.v1 import options_pb2

PREFIX = "ERROR_REASON_"
LANGUAGES = ("zh-CN", "en")
STATUS_CODES = {code.value[0]: code for code in grpc.StatusCode}
# A status travels in trailers, and a client drops those over 8 KiB in all, with the reason in them. A fact may hold
# what the caller sent, and stands in each text; a stream may have thousands of rows at fault. In bytes of UTF-8.
LONGEST_FACT = 240
MOST_VIOLATIONS = 3000


@runtime_checkable
class Declared(Protocol):
    """What an exception has when it may be shown to a caller: domain.py raises its own kind of it."""

    @property
    def reason(self) -> str: ...

    @property
    def facts(self) -> Mapping[str, str]: ...


class Refusal(Exception):
    """A call is refused with a declared reason; `facts` fill the places in its text and reach the caller."""

    def __init__(self, reason: str, **facts: object) -> None:
        super().__init__(reason)
        self.reason = reason
        self.facts = {name: str(value) for name, value in facts.items()}


class FieldsInvalid(Refusal):
    """Fields of the request break their rules: (field path, what is wrong) for each."""

    # For machines, a word for each violation, where the service has any.
    words: Sequence[str] = ()

    def __init__(self, violations: Sequence[tuple[str, str]], reason: str = "FIELD_INVALID", **facts: object) -> None:
        super().__init__(reason, **(facts or {"fields": ", ".join(dict(violations))}))
        self.violations = violations


@dataclass(frozen=True, slots=True)
class Meaning:
    """One reason: its enum value's name, the domain of its ErrorInfo, its code and texts."""

    name: str
    domain: str
    code: int
    texts: tuple[str, str]
    retry_seconds: int = 0


class Catalogue:
    """The reasons that a service may refuse with: its own, and those that every service shares."""

    def __init__(self, own: EnumDescriptor | None = None) -> None:
        self._meanings = _meanings(common.ErrorReason.DESCRIPTOR)
        if own is not None:
            self._meanings |= _meanings(own)

    def __getitem__(self, reason: str) -> Meaning:
        return self._meanings[reason]

    def __iter__(self) -> Iterator[str]:
        return iter(self._meanings)

    def status(self, refusal: Declared, language: str = LANGUAGES[0]) -> status_pb2.Status:
        """The refusal as AIP-193 wants it: one ErrorInfo, and the text in both languages."""
        meaning = self._meanings[refusal.reason]
        facts = {name: _shortened(fact) for name, fact in refusal.facts.items()}
        texts = [text.format_map(facts) for text in meaning.texts]
        status = status_pb2.Status(code=meaning.code, message=texts[LANGUAGES.index(language)])
        status.details.add().Pack(
            error_details_pb2.ErrorInfo(reason=meaning.name, domain=meaning.domain, metadata=facts)
        )
        for locale, text in zip(LANGUAGES, texts, strict=True):
            status.details.add().Pack(error_details_pb2.LocalizedMessage(locale=locale, message=text))
        if meaning.retry_seconds:
            after = duration_pb2.Duration(seconds=meaning.retry_seconds)
            status.details.add().Pack(error_details_pb2.RetryInfo(retry_delay=after))
        if isinstance(refusal, FieldsInvalid):
            status.details.add().Pack(_bad_request(refusal))
        return status


def _bad_request(refusal: FieldsInvalid) -> error_details_pb2.BadRequest:
    """The violations, as many of the first ones as there is room for."""
    bad = error_details_pb2.BadRequest()
    for (field, description), word in zip(refusal.violations, refusal.words or repeat(""), strict=False):
        bad.field_violations.add(field=field, description=_shortened(description), reason=word)
        if bad.ByteSize() > MOST_VIOLATIONS:
            del bad.field_violations[-1]
            break
    return bad


def _shortened(fact: str) -> str:
    # JSON can hold half a surrogate pair, which no message can.
    whole = fact.encode(errors="replace")
    return whole[:LONGEST_FACT].decode(errors="ignore") + ("…" if len(whole) > LONGEST_FACT else "")


def _meanings(enum: EnumDescriptor) -> dict[str, Meaning]:
    package = enum.file.package.removeprefix("quanyutong.").removesuffix(".v1")
    domain = "quanyutong" if package == "common" else f"{package}.quanyutong"
    meanings = {}
    for value in enum.values:
        if value.number:
            option = value.GetOptions().Extensions[options_pb2.meaning]
            texts = (option.zh, option.en)
            meaning = Meaning(value.name, domain, option.code, texts, option.retry_seconds)
            meanings[value.name.removeprefix(PREFIX)] = meaning
    return meanings


def preferred_language(accept_language: str) -> str:
    """The first of ours that an `accept-language` value names (RFC 9110, 12.5.4); Chinese without one."""
    choices = []
    for place, part in enumerate(accept_language.split(",")):
        tag, _, weight = part.strip().partition(";q=")
        primary = tag.lower().split("-")[0]
        if (preference := _weight(weight)) > 0:  # 0 is: anything but this
            choices += [(-preference, place, known) for known in LANGUAGES if known.startswith(primary or "?")]
    return min(choices)[2] if choices else LANGUAGES[0]


def _weight(text: str) -> float:
    try:
        return float(text or 1)
    except ValueError:
        return 0.0
