"""The columns of an imported list, each in one entry: field, names in Chinese and English, what its cells hold, notes.

The words of an enumeration are those of the comments in its proto; a test compares the two.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from quanyutong.registry.v1 import mandates_pb2, persons_pb2

Words = Mapping[str, int]
Kind = Literal["text", "day", "word", "unit", "term", "country", "ignored"]


def _words(enum: Any, given: str) -> Words:
    """`given`: for each value but the first its words, separated by 、 and between values by a blank."""
    values = enum.DESCRIPTOR.values[1:]
    return {
        word: value.number
        for value, words in zip(values, given.split(), strict=True)
        for word in (*words.split("、"), value.name, value.name.removeprefix(_prefix(enum)))
    }


def _prefix(enum: Any) -> str:
    return str(enum.DESCRIPTOR.values[0].name).removesuffix("UNSPECIFIED")


GENDERS = _words(persons_pb2.Gender, "男 女")
SCHOOLINGS = _words(persons_pb2.Schooling, "小学及以下 初中 高中、中专 大专 本科 研究生")
OCCUPATIONS = _words(
    persons_pb2.Occupation,
    "农民 工人 社区工作者 网格员 人民调解员 教师 医务人员 企业经营者 个体工商户 公务人员 专业技术人员 退休人员 其他",
)
CAPACITIES = _words(mandates_pb2.Capacity, "人大代表 党代表 政协委员 居民 一线工作者")
COUNTRIES = {"中国": "CN", "中华人民共和国": "CN", "CHINA": "CN"}


@dataclass(frozen=True)
class Column:
    """`field` is the path in an ImportRow; the first Chinese and English names are those of the template."""

    field: str
    kind: Kind
    zh: tuple[str, ...]
    en: tuple[str, ...]
    note_zh: str
    note_en: str
    example: str = ""
    needed: bool = False
    words: Words | None = None

    @property
    def heading(self) -> str:
        return f"{self.zh[0]} ({self.en[0]})"

    @property
    def choices(self) -> list[str]:
        """The Chinese words, of each value the first."""
        first: dict[int, str] = {}
        for word, number in (self.words or {}).items():
            first.setdefault(number, word)
        return list(first.values())


def _c(field: str, kind: Kind, zh: str, en: str, note_zh: str, note_en: str, **more: Any) -> Column:
    return Column(field, kind, tuple(zh.split("|")), tuple(en.split("|")), note_zh, note_en, **more)


# A further field of ImportRow or Person is one entry more.
COLUMNS = (
    _c("", "ignored", "序号|编号|备注", "no.|number|remark", "不导入", "not imported", example="1"),
    _c("person.display_name", "text", "姓名", "name", "必填", "needed", example="王小明", needed=True),
    _c("person.gender", "word", "性别", "gender|sex", "男或女", "male or female", example="女", words=GENDERS),
    _c(
        "person.birth_date",
        "day",
        "出生日期|出生年月日|生日",
        "birth date|date of birth",
        "必填；1980-01-31",
        "needed",
        example="1980-01-31",
        needed=True,
    ),
    _c(
        "person.nationality",
        "country",
        "国籍",
        "nationality",
        "空为中国；或两位字母代码",
        "CN when empty",
        example="中国",
    ),
    _c(
        "person.schooling",
        "word",
        "文化程度|学历",
        "schooling",
        "见列表",
        "from the list",
        example="本科",
        words=SCHOOLINGS,
    ),
    _c(
        "person.occupation",
        "word",
        "职业",
        "occupation",
        "见列表",
        "from the list",
        example="社区工作者",
        words=OCCUPATIONS,
    ),
    _c(
        "person.residence",
        "unit",
        "居住地|居住乡镇街道",
        "residence",
        "乡镇街道名称或九位代码",
        "name or code of the unit",
    ),
    _c(
        "person.residence_since", "day", "居住起始日期|居住起始日", "residence since", "自哪天起居住", "first day there"
    ),
    _c(
        "person.workplace",
        "unit",
        "工作地|工作乡镇街道",
        "workplace",
        "乡镇街道名称或九位代码",
        "name or code of the unit",
    ),
    _c(
        "person.workplace_since", "day", "工作起始日期|工作起始日", "workplace since", "自哪天起工作", "first day there"
    ),
    _c(
        "person.identity_number",
        "text",
        "公民身份号码|身份证号|身份证号码",
        "identity number",
        "18 位；仅存不可还原的摘要和后四位",
        "18 characters; only a hash and the last four are kept",
    ),
    _c("person.phone", "text", "联系电话|手机|手机号码|电话", "phone", "加密保存", "kept encrypted"),
    _c(
        "capacity",
        "word",
        "代表身份|身份",
        "capacity",
        "必填；见列表",
        "needed; from the list",
        example="居民",
        needed=True,
        words=CAPACITIES,
    ),
    _c(
        "recommender",
        "text",
        "推荐单位|推荐人",
        "recommender",
        "空则取命令中的 --recommender",
        "else --recommender",
        example="某社区居民委员会",
    ),
    _c(
        "active_from",
        "day",
        "任职日期|起始日期",
        "active from",
        "空则取命令中的 --active-from",
        "else --active-from",
        example="2026-01-15",
    ),
    _c(
        "term",
        "term",
        "会议主体|乡镇街道|届次",
        "assembly|unit|term",
        "空则取命令中的 --term；乡镇街道名称、代码或届次全名",
        "else --term; a unit or a whole term name",
    ),
)
BY_NAME = {name.casefold(): column for column in COLUMNS for name in (*column.zh, *column.en)}
BY_NAME |= {column.field: column for column in COLUMNS if column.field}


def column_of(heading: str) -> Column | None:
    """By one of its names, its field, or as the template writes it: `姓名 (name)`, with or without a mark *."""
    plain = heading.casefold().replace("_", " ").rstrip("* ").strip()
    outside, _, inside = plain.partition("(")
    candidates = (heading, plain, outside.strip(), inside.rstrip(") "))
    return next((BY_NAME[each] for each in candidates if each in BY_NAME), None)
