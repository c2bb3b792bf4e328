"""Scrutiny (监票): who may certify, what they confirm, and whether two counts agree. Without any input or output."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from services.ballots.domain import Refused

# Four eyes: so many different persons certify a count, and enter the count of a paper poll.
SCRUTINEERS = 2


def check_scrutineer(person: object, movers: Collection[object]) -> None:
    """Who moved a candidate does not judge its count."""
    if person in movers:
        raise Refused("SCRUTINEER_IS_MOVER")


def check_another(person: object, before: Collection[object]) -> None:
    if person in before:
        raise Refused("SAME_SCRUTINEER")


def check_seen(result: Mapping[str, Any], papers: int, ballots: int, seen: Sequence[tuple[str, int, int]]) -> None:
    """What a scrutineer saw (question, valid, blank) is what was counted."""
    turnout = result["turnout"]
    if (papers, ballots) != (turnout["papers"], turnout["ballots"]):
        raise Refused("COUNT_NOT_CONFIRMED", place="papers" if papers != turnout["papers"] else "ballots")
    counted = [(each["id"], each["valid"], each["blank"]) for each in result["questions"]]
    for one, other in zip(seen, counted, strict=False):
        if one != other:
            raise Refused("COUNT_NOT_CONFIRMED", place=other[0])
    if len(seen) != len(counted):
        raise Refused("COUNT_NOT_CONFIRMED", place="counts")


def check_count(
    question: str, options: Iterable[tuple[str, Mapping[int, int]]], most: int, marked: int, highest: int
) -> None:
    """The counted marks of a question: `marked` ballots bear one at all, each at most `most`, the highest is known."""
    total = 0
    for option, marks in options:
        here = sum(marks.values())
        if here > marked or max(marks, default=0) > highest:
            raise Refused("COUNT_REFUSED", place=f"{question}.{option}")
        total += here
    if not marked <= total <= marked * most:
        raise Refused("COUNT_REFUSED", place=question)


def check_tie(question: Mapping[str, Any], by: str, tie: str) -> list[str]:
    """The tied options of a question whose tie is decided in this way."""
    tied = [option["id"] for option in question["options"] if option.get("outcome") == "tied"]
    if by != tie or not tied:
        raise Refused("TIE_REFUSED", question=question["id"])
    return tied


def check_decided(question: Mapping[str, Any], tied: Collection[str], chosen: Collection[str]) -> None:
    """The presidium chooses among the tied, as many as there are places left at most."""
    if not set(chosen) <= set(tied) or len(chosen) > question["places_left"]:
        raise Refused("TIE_REFUSED", question=question["id"])
