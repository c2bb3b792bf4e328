"""Linking papers to ballots: all traces of either in an attacker's files, and the guesses that they allow.

A voter is a number. A guess says of ballots whose paper each belongs to. Any guess that is made without a trace of the
truth, of ballots cast in an order that was drawn by lot, is right k times or more with a probability of at most 1/k!:
the expected number of sets of k ballots that are all right. Of K guesses some is, at most, with K/k!.
"""

import os
import subprocess
import tempfile
from base64 import b64encode
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from math import factorial, sqrt
from pathlib import Path

# How often a test that asks for no more than chance may fail although there is no leak.
FALSE_ALARM = 1e-6
# Rank correlation in standard deviations: so far out its distribution lies below the normal one, which has 3e-12 there.
DEVIATIONS = 7.0
PAGE = 8192
# Shorter ones would be found by accident.
PIECE = 8
Order = tuple[int, ...]
Guess = Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Trace:
    """A kind of thing that leads to voters' papers or to their ballots, and what it looks like for each voter."""

    kind: str
    of_ballots: bool
    looks: Mapping[bytes, int]


def traces(kind: str, of_ballots: bool, values: Sequence[bytes]) -> list[Trace]:
    """Of one value for each voter: as it is, and in hex."""
    plain = {_piece(value): voter for voter, value in enumerate(values)}
    shown = {value[-6:].hex().encode(): voter for voter, value in enumerate(values)}
    return [Trace(kind, of_ballots, plain), Trace(f"{kind} in hex", of_ballots, shown)]


def in_base64(kind: str, wholes: Sequence[bytes], parts: Sequence[bytes]) -> Trace:
    """Of a part within a whole that is told in base64, as ballots are on a board."""
    looks = {}
    for voter, (whole, part) in enumerate(zip(wholes, parts, strict=True)):
        start = -(-whole.index(part) // 3) * 4
        looks[b64encode(whole)[start : start + 2 * PIECE]] = voter
    return Trace(f"{kind} in base64", True, looks)


def _piece(value: bytes) -> bytes:
    """The end of it; without line feeds, at which the search begins anew."""
    return max((line[-PIECE:] for line in value[-4 * PIECE :].split(b"\n")), key=len)


@dataclass(frozen=True, slots=True)
class Found:
    """Where one kind of trace stands in one file: places and voters, in the file's order."""

    path: str
    trace: Trace
    hits: Sequence[tuple[int, int]]

    def orders(self) -> set[Order]:
        """By first place, by last place, and as rows were put into pages: each page is filled from its end."""
        return {
            _order(self.hits),
            _order((-place, voter) for place, voter in self.hits)[::-1],
            _order((place // PAGE * PAGE - place % PAGE, voter) for place, voter in self.hits),
        }


def _order(hits: Iterable[tuple[int, int]]) -> Order:
    return tuple(dict.fromkeys(voter for _, voter in sorted(hits)))


def search(folders: Iterable[Path], wanted: Sequence[Trace]) -> list[Found]:
    """Every trace in every file, by grep: there are hundreds of megabytes to read."""
    known = {look: (trace, voter) for trace in wanted for look, voter in trace.looks.items()}
    hits: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    for path, place, look in _grep(folders, known):
        trace, voter = known[look]
        hits[path, trace.kind].append((place, voter))
    by_kind = {trace.kind: trace for trace in wanted}
    return [Found(path, by_kind[kind], sorted(each)) for (path, kind), each in hits.items()]


def _grep(folders: Iterable[Path], looks: Iterable[bytes]) -> Iterator[tuple[str, int, bytes]]:
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"\n".join(looks))
        file.flush()
        options = ["--recursive", "--text", "--byte-offset", "--only-matching", "--null", "--with-filename"]
        command = ["grep", "--fixed-strings", *options, f"--file={file.name}", "--", *map(str, folders)]
        done = subprocess.run(command, capture_output=True, check=False, env=os.environ | {"LC_ALL": "C"})
    if done.returncode > 1:
        raise OSError(done.stderr.decode())
    for line in done.stdout.split(b"\n")[:-1]:
        path, _, rest = line.partition(b"\0")
        place, _, look = rest.partition(b":")
        yield path.decode(), int(place), look


@dataclass(frozen=True, slots=True)
class Attack:
    """What the best of all attackers achieved: right guesses, and rank correlation in standard deviations."""

    guesses: int
    right: int
    correlation: float
    how: str

    @property
    def bound(self) -> int:
        """So many right guesses have, by chance, a probability of less than FALSE_ALARM."""
        return next(number for number in count(1) if self.guesses / factorial(number) < FALSE_ALARM)

    @property
    def is_chance(self) -> bool:
        return self.right < self.bound and self.correlation < DEVIATIONS


def attack(found: Sequence[Found], fewest: int = 2) -> Attack:
    """Lays each order of papers beside each order of ballots, and looks for the paper that is nearest to each ballot.

    An order of fewer voters than `fewest` is none.
    """
    papers, ballots = ({order: each.path for each in _of(found, side) for order in each.orders()} for side in (0, 1))
    pairs = [
        (one, other, f"{papers[one]} beside {ballots[other]}")
        for one in papers
        for other in ballots
        if min(len(one), len(other)) >= fewest
    ]
    guesses: list[tuple[Guess, str]] = [(dict(zip(other, one, strict=False)), how) for one, other, how in pairs]
    guesses += [(guess, f"neighbours in {path}") for path, guess in _neighbours(found)]
    right, how = max(((_right(guess), how) for guess, how in guesses), default=(0, "nothing"))
    correlation = max((_correlation(one, other) for one, other, _ in pairs), default=0.0)
    return Attack(len(guesses), right, correlation, how)


def _of(found: Iterable[Found], ballots: int) -> list[Found]:
    return [each for each in found if each.trace.of_ballots == bool(ballots)]


def _right(guess: Guess) -> int:
    return sum(ballot == paper for ballot, paper in guess.items())


def _neighbours(found: Sequence[Found]) -> Iterator[tuple[str, Guess]]:
    for ballots in _of(found, 1):
        for papers in _of(found, 0):
            if papers.path == ballots.path:
                yield ballots.path, _nearest(papers.hits, ballots.hits)


def _nearest(papers: Sequence[tuple[int, int]], ballots: Sequence[tuple[int, int]]) -> Guess:
    """Of each ballot the paper that stands nearest to any of its places."""
    nearest: dict[int, tuple[int, int]] = {}
    for place, ballot in ballots:
        at = bisect_left(papers, (place, 0))
        for where, paper in papers[max(at - 1, 0) : at + 1]:
            nearest[ballot] = min(nearest.get(ballot, (place + where, -1)), (abs(where - place), paper))
    return {ballot: paper for ballot, (_, paper) in nearest.items()}


def _correlation(one: Order, other: Order) -> float:
    """Spearman's, of the voters that are in both, either way round."""
    both = set(one) & set(other)
    if len(both) < 3:
        return 0.0
    number = len(both)
    ranks = {voter: rank for rank, voter in enumerate(voter for voter in one if voter in both)}
    other = tuple(voter for voter in other if voter in both)
    squares = sum((ranks[voter] - rank) ** 2 for rank, voter in enumerate(other))
    return abs(1 - 6 * squares / (number * (number**2 - 1))) * sqrt(number - 1)
