"""Identity numbers (公民身份号码, GB 11643) and telephone numbers: what they say, and whether they can be."""

import re
from dataclasses import dataclass
from datetime import date

from stdnum.cn import ric
from stdnum.exceptions import ValidationError

from services.registry.domain import Refused

MOBILE = re.compile("1[3-9][0-9]{9}")
LANDLINE = re.compile("0(10|2[0-9]|[3-9][0-9]{2})[2-9][0-9]{6,7}")
SEPARATORS = str.maketrans("", "", " -()")


@dataclass(frozen=True, slots=True)
class Identity:
    """An identity number, and what it says of its holder. The number is in no representation of it."""

    number: str
    birth_date: date
    gender: str

    def __repr__(self) -> str:
        return "Identity(…)"


def read_identity(number: str, today: date) -> Identity:
    """Raises Refused IDENTITY_NUMBER_INVALID.

    The code of the place is not looked up: places come and go, and a number outlives the list that it is missing from.
    """
    number = number.upper()
    try:
        right = ric.calc_check_digit(number) == number[-1]
        born = ric.get_birth_date(number)
    except ValidationError:
        raise Refused("IDENTITY_NUMBER_INVALID") from None
    if not right or born > today:
        raise Refused("IDENTITY_NUMBER_INVALID")
    return Identity(number, born, "male" if int(number[16]) % 2 else "female")


def agree(identity: Identity, birth_date: date | None, gender: str) -> tuple[date, str]:
    """Birth date and gender of the entry: stated as the number has them, or filled from it."""
    if birth_date not in (None, identity.birth_date):
        raise Refused("IDENTITY_DISAGREES", field="birth_date")
    if gender not in ("", identity.gender):
        raise Refused("IDENTITY_DISAGREES", field="gender")
    return identity.birth_date, identity.gender


def read_phone(given: str) -> str:
    """The number as +86 and what follows (E.164). Raises Refused PHONE_INVALID."""
    digits = given.translate(SEPARATORS)
    national = re.sub(r"^(\+86|0086)", "", digits)
    if MOBILE.fullmatch(national):
        return f"+86{national}"
    landline = national if national.startswith("0") else f"0{national}"
    if LANDLINE.fullmatch(landline):
        return f"+86{landline[1:]}"
    raise Refused("PHONE_INVALID")
