"""How a name is spelt in pinyin, so that it is found by a few letters: 王小明 as `wangxiaoming` and `wxm`."""

import re

from pypinyin import Style, lazy_pinyin

# Surnames that are read otherwise than the same character elsewhere; pypinyin reads them as words.
SURNAMES = {
    "万俟": ("mo", "qi"),
    "尉迟": ("yu", "chi"),
    "单于": ("chan", "yu"),
    "曾": ("zeng",),
    "单": ("shan",),
    "仇": ("qiu",),
    "解": ("xie",),
    "查": ("zha",),
    "任": ("ren",),
    "区": ("ou",),
    "朴": ("piao",),
    "盖": ("ge",),
    "华": ("hua",),
    "乐": ("yue",),
    "翟": ("zhai",),
    "缪": ("miao",),
    "宁": ("ning",),
    "冼": ("xian",),
    "种": ("chong",),
    "折": ("she",),
    "黑": ("he",),
    "员": ("yun",),
    "召": ("shao",),
    "繁": ("po",),
    "逄": ("pang",),
    "覃": ("qin",),
    "秘": ("bi",),
    "洗": ("xian",),
    "尹": ("yin",),
    "长孙": ("zhang", "sun"),
}
LETTERS = re.compile("[^a-z]+")


def spelling(name: str) -> tuple[str, str]:
    """The pinyin of a name and its initials, in lower-case letters; a Latin word in it stands as it is."""
    surname = next((known for known in SURNAMES if name.startswith(known)), "")
    syllables = [*SURNAMES.get(surname, ()), *lazy_pinyin(name[len(surname) :], style=Style.NORMAL)]
    words = [word for syllable in syllables for word in LETTERS.sub(" ", syllable.lower()).split()]
    return "".join(words), "".join(word[0] for word in words)


def letters(query: str) -> str:
    """What is asked for, as letters; empty when it has others than Latin ones."""
    given = query.replace(" ", "").replace("'", "").lower()
    return given if given.isascii() and given.isalpha() else ""
