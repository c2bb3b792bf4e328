"""A year as a line of half days, two to each working day, without input or output.

Who is taken when is a whole number with a bit for each half day, so that a question about a year is one operation.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property


@dataclass(frozen=True, slots=True)
class Span:
    """From the first half day to the last, both included; 0 is a morning, 1 an afternoon."""

    first: tuple[date, int]
    last: tuple[date, int]


@dataclass(frozen=True)
class Line:
    """Half days: bit 2i is the morning of the i-th working day."""

    days: tuple[date, ...]

    @cached_property
    def index(self) -> dict[date, int]:
        return {day: number for number, day in enumerate(self.days)}

    @cached_property
    def _beginnings(self) -> dict[int, int]:
        return {}

    def window(self, first: date, last: date) -> int:
        low, high = bisect_left(self.days, first), bisect_right(self.days, last)
        return ((1 << 2 * high) - 1) ^ ((1 << 2 * low) - 1) if low < high else 0

    def day(self, number: int) -> int:
        return 0b11 << 2 * number

    def starts(self, window: int, half_days: int) -> int:
        """Where a meeting of that length could begin in it, were nobody else there."""
        return runs(window, half_days) & self._beginning(half_days)

    def _beginning(self, half_days: int) -> int:
        """A half day anywhere; what lasts longer in the morning, and on days that follow each other."""
        if half_days not in self._beginnings:
            length = (half_days + 1) // 2
            self._beginnings[half_days] = sum(
                (0b11 if half_days == 1 else 0b01) << 2 * number
                for number in range(len(self.days) - length + 1)
                if self.days[number + length - 1] - self.days[number] == timedelta(days=length - 1)
            )
        return self._beginnings[half_days]

    def span(self, start: int, half_days: int) -> Span:
        end = start + half_days - 1
        return Span((self.days[start // 2], start % 2), (self.days[end // 2], end % 2))


def runs(free: int, length: int) -> int:
    """The bits at which so many free ones begin."""
    starts = free
    for further in range(1, length):
        starts &= free >> further
    return starts


def nearest(starts: int, middle: int) -> int:
    """The bit nearest to the middle, of two the later one; there is at least one."""
    later, earlier = starts >> middle, starts & ((1 << middle) - 1)
    above = (later & -later).bit_length() - 1 if later else -1
    below = middle - earlier.bit_length() + 1 if earlier else -1
    return middle + above if above >= 0 and not 0 <= below < above else middle - below


def bits(number: int) -> Iterator[int]:
    while number:
        lowest = number & -number
        yield lowest.bit_length() - 1
        number ^= lowest
