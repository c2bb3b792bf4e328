"""What the pages say: both languages of a sentence stand side by side in the templates, those of enum values here."""

import tomllib
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal, format_percent
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date

Language = Literal["zh", "en"]
LOCALES: dict[Language, str] = {"zh": "zh_Hans_CN", "en": "en"}
ZONE = ZoneInfo("Asia/Shanghai")
# Enum, or path of something -> value, or verb -> (Chinese, English).
WORDS: dict[str, dict[str, tuple[str, str]]] = tomllib.loads(Path(__file__).with_name("words.toml").read_text())


@dataclass(frozen=True)
class Speech:
    """Says things in one language, as the templates ask for them."""

    language: Language

    @property
    def locale(self) -> str:
        return LOCALES[self.language]

    def say(self, zh: str, en: str) -> str:
        return zh if self.language == "zh" else en

    def word(self, message: Any, field: str) -> str:
        """The word for an enum field's value."""
        kind = message.DESCRIPTOR.fields_by_name[field].enum_type
        return self.value(kind, getattr(message, field))

    def value(self, kind: Any, number: int) -> str:
        """The word for a value of an enum; one of a later version, which nobody here knows, by its number."""
        value = kind.values_by_number.get(number)
        if value is None:
            return str(number)
        if number == 0:
            return self.say("未注明", "not stated")
        return self.say(*WORDS[kind.name][value.name])

    def verb(self, path: str, name: str) -> str:
        """The word for a step of a path, as timelines name it; one of a later version as it is."""
        return self.say(*WORDS[path].get(name, (name, name)))

    def choices(self, kind: Any) -> list[tuple[str, str]]:
        """The values of an enum that can be chosen, with their words."""
        return [(value.name, self.value(kind, value.number)) for value in kind.values if value.number]

    def day(self, value: Date | date) -> str:
        if isinstance(value, Date):
            if not value.year:
                return "—"
            value = date(value.year, value.month, value.day)
        return format_date(value, "medium", self.locale)

    def month(self, value: Date) -> str:
        return format_date(date(value.year, value.month, 1), self.say("y年M月", "MMMM y"), self.locale)

    def moment(self, value: Timestamp) -> str:
        """Date and time of day in Chongqing."""
        if not value.seconds:
            return "—"
        return format_datetime(local(value), self.say("y年M月d日 HH:mm", "d MMM y, HH:mm"), locale=self.locale)

    def number(self, value: float) -> str:
        return format_decimal(value, format="#,##0.##", locale=self.locale)

    def percent(self, part: float, whole: float) -> str:
        return format_percent(part / whole, format="0.0%", locale=self.locale) if whole else "—"

    def yuan(self, fen: int) -> str:
        """Money: in ten thousands of yuan where it is much, as budgets are written."""
        if abs(fen) >= 1_000_000:
            return self.say(f"{self.number(fen / 1_000_000)} 万元", f"CNY {self.number(fen / 100)}")
        return self.say(f"{self.number(fen / 100)} 元", f"CNY {self.number(fen / 100)}")


def local(value: Timestamp) -> datetime:
    """A time as the clocks of Chongqing show it."""
    return value.ToDatetime(tzinfo=UTC).astimezone(ZONE)


def today() -> date:
    """The day that it is in Chongqing."""
    return datetime.now(ZONE).date()
