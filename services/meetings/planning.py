"""The annual plan: a time for each meeting that is owed and has none yet, without input or output.

Greedy: whoever has the least room goes first, on the days with the fewest meetings, as near as can be to the middle of
the window, which leaves room on both sides. Who finds no time takes that of one other, if that one can go elsewhere.
A solver was not needed: with some 4 meetings a body and 60 working days a window nearly everything fits at once, the
repair places the rest, and a whole city takes seconds instead of a model of millions of variables.

The same input gives the same plan: nothing depends on the order in which wishes come.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from services.meetings.half_days import Line, Span, bits, nearest, runs

# How often others are asked to make room, for one wish and in one plan: a district that is overbooked is told so in
# seconds too.
TRIES_OF_A_WISH = 60
TRIES_OF_A_PLAN = 20_000


@dataclass(frozen=True, slots=True)
class Wish:
    """A meeting that needs a time. `limited` names the daily limit under which it falls; reception days, which are on
    one day at all stations, fall under none.
    """

    key: str
    first: date
    last: date
    half_days: int
    body: str
    venue: str = ""
    # Those who could be in two places: delegates who sit in several bodies or are engaged elsewhere.
    delegates: tuple[str, ...] = ()
    limited: str = ""
    # Days that were rejected.
    avoided: frozenset[date] = frozenset()

    @property
    def holders(self) -> tuple[str, ...]:
        return tuple(filter(None, (self.body, self.venue, *self.delegates)))


@dataclass(frozen=True, slots=True)
class Engagement:
    """What is settled: on this day, in these halves of it (0 the morning, 1 the afternoon), they are taken."""

    day: date
    halves: tuple[int, ...]
    holders: tuple[str, ...]
    limited: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """Each wish is in one of the two, by its key; without a place, with the reason."""

    places: Mapping[str, Span]
    unplaced: Mapping[str, str]


def plan(
    wishes: Iterable[Wish], settled: Iterable[Engagement], working_days: Sequence[date], limits: Mapping[str, int]
) -> Plan:
    """`working_days` in order; nothing is placed on another day. `limits`: most meetings a day, by their name."""
    line = Line(tuple(working_days))
    book = _Book(line, limits)
    for engagement in settled:
        book.settle(engagement)
    ordered = sorted(wishes, key=lambda wish: (book.starts(wish).bit_count(), wish.last, wish.key))
    unplaced = {}
    for wish in ordered:
        if not (book.place(wish) or book.make_room(wish)):
            unplaced[wish.key] = wish
    places = {key: line.span(start, wish.half_days) for key, (wish, start) in sorted(book.placed.items())}
    return Plan(places, {key: book.reason(wish) for key, wish in sorted(unplaced.items())})


@dataclass
class _Book:
    """Who is taken when, and how many meetings a day has."""

    line: Line
    limits: Mapping[str, int]
    placed: dict[str, tuple[Wish, int]] = field(default_factory=dict)
    _taken: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    # The same without what this plan has placed: that can move, these cannot.
    _settled: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    # Under a limit, by the number of a day: how many meetings; by a count: the half days of days that have as many.
    _load: dict[str, dict[int, int]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(int)))
    _reached: dict[str, dict[int, int]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(int)))
    # What this plan has placed, by who is taken by it, and under a limit by the number of a day.
    _of_holder: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    _of_day: dict[tuple[str, int], set[str]] = field(default_factory=lambda: defaultdict(set))
    _tries: int = TRIES_OF_A_PLAN

    def settle(self, engagement: Engagement) -> None:
        """What is not on a working day is in nobody's way."""
        number = self.line.index.get(engagement.day)
        if number is None:
            return
        taken = sum(1 << 2 * number + half for half in engagement.halves)
        for holder in engagement.holders:
            self._taken[holder] |= taken
            self._settled[holder] |= taken
        self._count(engagement.limited, number, 1)

    def starts(self, wish: Wish) -> int:
        """Where it could begin, were nobody else there."""
        window = self.line.window(wish.first, wish.last)
        for avoided in wish.avoided & self.line.index.keys():
            window &= ~self.line.day(self.line.index[avoided])
        return self.line.starts(window, wish.half_days)

    def place(self, wish: Wish) -> bool:
        """Gives it the best time that is free, if there is one."""
        start = self._best(wish)
        if start is not None:
            self._put(wish, start)
        return start is not None

    def make_room(self, wish: Wish) -> bool:
        """Gives it the time of another that can go elsewhere, if there is such a one."""
        tries = min(TRIES_OF_A_WISH, self._tries)
        for start, other in self._swaps(wish):
            if tries <= 0:
                break
            tries, self._tries = tries - 1, self._tries - 1
            if self._swap(wish, start, other):
                return True
        return False

    def reason(self, wish: Wish) -> str:
        """Why it found no time: the first of what stands in its way on every day."""
        starts = self.starts(wish)
        if not starts:
            return "days_rejected" if wish.avoided else "no_working_days"
        if not starts & self._free(wish, (wish.body,)):
            return "body_engaged"
        if not starts & self._free(wish, tuple(filter(None, (wish.body, wish.venue)))):
            return "venue_taken"
        return "daily_limit" if starts & self._free(wish, wish.holders) else "delegates_engaged"

    def _best(self, wish: Wish) -> int | None:
        starts, middle = self.starts(wish), self._middle(wish)
        free = ~self._union(self._taken, wish.holders)
        for few in self._levels(wish.limited):
            if found := starts & runs(free & ~few, wish.half_days):
                return nearest(found, middle)
        return None

    def _levels(self, limited: str) -> Iterator[int]:
        """Half days that are too full: first of days that have any meeting, in the end of those at the limit."""
        if not limited:
            yield 0
            return
        reached = self._reached[limited]
        for count in range(1, self.limits[limited] + 1):
            yield reached[count]

    def _middle(self, wish: Wish) -> int:
        """The morning in the middle of the window."""
        window = self.line.window(wish.first, wish.last)
        low, high = (window & -window).bit_length() - 1, window.bit_length()
        return (max(low, 0) + high) // 4 * 2

    def _free(self, wish: Wish, holders: tuple[str, ...]) -> int:
        return runs(~self._union(self._taken, holders), wish.half_days)

    def _union(self, taken: Mapping[str, int], holders: tuple[str, ...]) -> int:
        together = 0
        for holder in holders:
            together |= taken[holder]
        return together

    def _put(self, wish: Wish, start: int) -> None:
        self.placed[wish.key] = (wish, start)
        self._mark(wish, start, 1)
        for keys in self._entries(wish, start):
            keys.add(wish.key)

    def _take_out(self, key: str) -> tuple[Wish, int]:
        wish, start = self.placed.pop(key)
        self._mark(wish, start, -1)
        for keys in self._entries(wish, start):
            keys.remove(key)
        return wish, start

    def _entries(self, wish: Wish, start: int) -> Iterator[set[str]]:
        yield from (self._of_holder[holder] for holder in wish.holders)
        yield from (self._of_day[wish.limited, number] for number in self._days(wish, start))

    def _mark(self, wish: Wish, start: int, change: int) -> None:
        span = ((1 << wish.half_days) - 1) << start
        for holder in wish.holders:
            self._taken[holder] ^= span
        for number in self._days(wish, start):
            self._count(wish.limited, number, change)

    def _count(self, limited: str, number: int, change: int) -> None:
        if not limited:
            return
        before = self._load[limited][number]
        self._load[limited][number] = before + change
        self._reached[limited][max(before, before + change)] ^= self.line.day(number)

    def _days(self, wish: Wish, start: int) -> range:
        return range(start // 2, (start + wish.half_days - 1) // 2 + 1)

    def _swaps(self, wish: Wish) -> Iterator[tuple[int, str]]:
        """Where nothing settled stands in the way, and just one that was placed; nearest to the middle first."""
        middle = self._middle(wish)
        free = runs(~self._union(self._settled, wish.holders), wish.half_days) & self.starts(wish)
        for start in sorted(bits(free), key=lambda bit: (abs(bit - middle), bit)):
            yield from ((start, key) for key in self._in_the_way(wish, start))

    def _in_the_way(self, wish: Wish, start: int) -> Sequence[str]:
        """The one who holds what the wish needs; where that is all free, any of those who fill the day."""
        near = {key for holder in wish.holders for key in self._of_holder[holder]}
        if holding := [key for key in near if self._meet(wish, start, *self.placed[key])]:
            return holding if len(holding) == 1 else ()
        return sorted({key for number in self._days(wish, start) for key in self._of_day[wish.limited, number]})

    def _meet(self, wish: Wish, start: int, other: Wish, at: int) -> bool:
        """Whether the two, who share a holder, would be at the same time."""
        return start < at + other.half_days and at < start + wish.half_days

    def _swap(self, wish: Wish, start: int, key: str) -> bool:
        """Either both have a time after it, or nothing has changed."""
        other, at = self._take_out(key)
        if self._fits(wish, start):
            self._put(wish, start)
            if self.place(other):
                return True
            self._take_out(wish.key)
        self._put(other, at)
        return False

    def _fits(self, wish: Wish, start: int) -> bool:
        *_, full = self._levels(wish.limited)
        free = ~self._union(self._taken, wish.holders) & ~full
        return bool(runs(free, wish.half_days) >> start & 1)
