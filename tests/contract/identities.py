"""Identity numbers for tests: right ones, of people who do not exist."""

from datetime import date
from itertools import count

from stdnum.cn import ric

ORDER = count(1)


def identity_number(born: date = date(1980, 1, 2), woman: bool = False) -> str:
    """Another one at each call. Its place is Fuling."""
    order = next(ORDER) * 2 - (0 if woman else 1)
    body = f"500102{born:%Y%m%d}{order % 1000:03}"
    return body + ric.calc_check_digit(body + "0")
