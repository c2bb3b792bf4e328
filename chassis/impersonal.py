"""Numbers that lead to a person, in text that everybody may read."""

import re

# Both widths: what is typed on a Chinese keyboard is as often the wide one.
DIGIT, GAP = "[0-9\uff10-\uff19]", "[ \u3000\u2010-\u2015\uff0d-]?"
# A mobile telephone number or an identity number, with or without blanks and hyphens between the digits.
NUMBER = re.compile(
    rf"(?<!{DIGIT})"
    rf"([1\uff11][3-9\uff13-\uff19](?:{GAP}{DIGIT}){{9}}"
    rf"|[1-9\uff11-\uff19]{DIGIT}(?:{GAP}{DIGIT}){{15}}{GAP}[0-9Xx\uff10-\uff19\uff38\uff58])"
    rf"(?!{DIGIT})"
)


def is_personal(content: str) -> bool:
    return bool(NUMBER.search(content))


def impersonal(content: str) -> str:
    """What has nobody to refuse it to: without the numbers."""
    return NUMBER.sub("…", content)
