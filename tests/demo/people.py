"""Synthetic persons. Each name says that it is one: a surname, 某 (so-and-so), the code of the place and a number."""

from random import Random
from typing import TypeVar

from google.type.date_pb2 import Date

from quanyutong.registry.v1.persons_pb2 import (
    GENDER_FEMALE,
    GENDER_MALE,
    OCCUPATION_COMMUNITY_WORKER,
    OCCUPATION_ENTREPRENEUR,
    OCCUPATION_FARMER,
    OCCUPATION_GRID_WORKER,
    OCCUPATION_MEDIATOR,
    OCCUPATION_MEDICAL,
    OCCUPATION_OTHER,
    OCCUPATION_PROFESSIONAL,
    OCCUPATION_RETIRED,
    OCCUPATION_SELF_EMPLOYED,
    OCCUPATION_TEACHER,
    OCCUPATION_WORKER,
    SCHOOLING_BACHELOR,
    SCHOOLING_COLLEGE,
    SCHOOLING_LOWER_SECONDARY,
    SCHOOLING_POSTGRADUATE,
    SCHOOLING_PRIMARY,
    SCHOOLING_UPPER_SECONDARY,
    Person,
)

UNIT_DIGITS = 9
SURNAMES = "李王张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
# Each value with its weight.
GENDERS = {GENDER_FEMALE: 40, GENDER_MALE: 60}
OCCUPATIONS = {
    OCCUPATION_COMMUNITY_WORKER: 14,
    OCCUPATION_WORKER: 13,
    OCCUPATION_SELF_EMPLOYED: 13,
    OCCUPATION_FARMER: 10,
    OCCUPATION_RETIRED: 10,
    OCCUPATION_GRID_WORKER: 8,
    OCCUPATION_ENTREPRENEUR: 8,
    OCCUPATION_TEACHER: 6,
    OCCUPATION_MEDICAL: 6,
    OCCUPATION_PROFESSIONAL: 6,
    OCCUPATION_MEDIATOR: 3,
    OCCUPATION_OTHER: 3,
}
SCHOOLINGS = {
    SCHOOLING_PRIMARY: 4,
    SCHOOLING_LOWER_SECONDARY: 18,
    SCHOOLING_UPPER_SECONDARY: 28,
    SCHOOLING_COLLEGE: 26,
    SCHOOLING_BACHELOR: 21,
    SCHOOLING_POSTGRADUATE: 3,
}
Value = TypeVar("Value")


def person(place: str, number: int) -> Person:
    """The person of this number in a unit, or in a district at large: the same in every run, and eligible by age.

    Who sits for a unit lives there.
    """
    random = Random(f"{place}/{number}")
    one = Person(
        display_name=f"{random.choice(SURNAMES)}某{place}-{number:02}",
        gender=_drawn(random, GENDERS),
        birth_date=Date(year=random.randint(1953, 1998), month=random.randint(1, 12), day=random.randint(1, 28)),
        schooling=_drawn(random, SCHOOLINGS),
        occupation=_drawn(random, OCCUPATIONS),
    )
    if len(place) == UNIT_DIGITS:
        since = Date(year=random.randint(1998, 2020), month=random.randint(1, 12), day=1)
        one.MergeFrom(Person(residence=f"units/{place}", residence_since=since))
    return one


def _drawn(random: Random, weights: dict[Value, int]) -> Value:
    return random.choices(list(weights), list(weights.values()))[0]
