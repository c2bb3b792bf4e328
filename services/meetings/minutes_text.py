"""How minutes speak: the words of a meeting in Chinese, and the generated sections, without any input or output.

Facts come in as plain values; the words of the database stand for what they mean.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

KINDS = {
    "congress_session": "人民代表大会会议",
    "mid_year": "年中会议",
    "quarterly": "专项工作报告季会",
    "assembly": "议事代表会议",
    "reception_day": "民情接待日",
    "house_feedback": "情况反馈会",
    "symposium": "座谈会",
    "consultation": "一事一议协商会",
}
FORMS = {
    "congress_session": "年中人代会",
    "special_report": "专项工作报告会",
    "enlarged_committee": "常委（扩大）会",
}
CLASSES = {
    "report": "工作报告",
    "special_report": "专项工作报告",
    "budget": "预算决算",
    "project_progress": "项目进展",
    "proposal_handling": "建议办理",
    "inquiry": "询问",
    "speeches": "发言",
    "group_discussion": "分组讨论",
    "evaluation": "满意度测评",
    "vote": "表决",
}
OUTCOMES = {"heard": "听取", "approved": "通过", "rejected": "未通过", "evaluated": "已测评", "referred": "交办"}
GRADES = {"satisfied": "满意", "basically_satisfied": "基本满意", "dissatisfied": "不满意"}
PREPARATIONS = {"inspection": "会前视察调研", "opinion_collection": "会前征求意见", "opinion": "群众意见"}
DIGITS = "零一二三四五六七八九"
NAMELESS = "（姓名未登记）"


@dataclass(frozen=True, slots=True)
class Held:
    """That a meeting was held. Times are those of Chongqing."""

    title: str
    began: datetime
    ended: datetime
    venue: str
    chair: str
    secretary: str
    expected: int
    attended: int
    on_leave: int
    absent: int
    observers: int
    needed: int
    present: int


@dataclass(frozen=True, slots=True)
class Decided:
    """What an item came to; `grade` is empty where it was not graded."""

    title: str
    reporter: str
    state: str
    outcome: str
    outcome_text: str
    grade: str


@dataclass(frozen=True, slots=True)
class Agreed:
    """The measure of a consultation."""

    content: str
    owner: str
    due: date


def ordinal(number: int) -> str:
    """一, 十一, 二十, 九十九; from a hundred on in digits."""
    tens, ones = divmod(number, 10)
    if not 0 < number < 100:
        return str(number)
    return f"{DIGITS[tens] if tens > 1 else ''}{'十' if tens else ''}{DIGITS[ones] if ones else ''}"


def day_text(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


def time_text(moment: datetime) -> str:
    return f"{day_text(moment)}{moment:%H:%M}"


def number_text(term: int, number: int) -> str:
    """届次; a station has no term."""
    return f"第{ordinal(term)}届第{ordinal(number)}次" if term else f"第{ordinal(number)}次"


def span_text(began: datetime, ended: datetime) -> str:
    """The second time without the day, where it is the same."""
    return (
        f"{time_text(began)}至{ended:%H:%M}"
        if began.date() == ended.date()
        else f"{time_text(began)}至{time_text(ended)}"
    )


def title_of(meeting: str) -> str:
    """第三次会议 has its 第三次会议纪要."""
    return f"{meeting.removesuffix('会议')}会议纪要"


def summary_of(held: Held, items: Sequence[Decided]) -> list[str]:
    """会议概况: that it was held, who came, and what was dealt with."""
    where = f"在{held.venue}" if held.venue else ""
    paragraphs = [
        f"{span_text(held.began, held.ended)}，{held.title}{where}召开。会议由{held.chair}主持，{held.secretary}记录。",
        _attendance(held),
    ]
    dealt = [f"《{item.title}》" for item in items if item.state == "concluded"]
    if dealt:
        paragraphs.append(f"会议共审议{len(dealt)}项议题：{'、'.join(dealt)}。")
    return paragraphs


def _attendance(held: Held) -> str:
    parts = [f"应到{held.expected}人", f"实到{held.attended}人"]
    parts += [f"{word}{count}人" for word, count in (("请假", held.on_leave), ("缺席", held.absent)) if count]
    came = f"会议{'，'.join(parts)}"
    if held.observers:
        came += f"，列席{held.observers}人"
    if not held.needed:
        return f"{came}。"
    return f"{came}。宣布开会时到会{held.present}人，法定人数为{held.needed}人，符合规定。"


def resolutions_of(items: Iterable[Decided], measure: Agreed | None) -> list[str]:
    """议定事项: what each item came to, and the measure of a consultation."""
    paragraphs = [_resolution(item) for item in items if item.state == "concluded"]
    if measure:
        paragraphs.append(
            f"会议议定：{_ended(measure.content)}由{measure.owner}承办，最迟于{day_text(measure.due)}完成。"
        )
    return paragraphs


def _resolution(item: Decided) -> str:
    by = f"{item.reporter}所作的" if item.reporter else ""
    said = {
        "heard": f"会议听取了{by}《{item.title}》",
        "approved": f"会议表决通过了《{item.title}》",
        "rejected": f"会议表决未通过《{item.title}》",
        "evaluated": f"会议对《{item.title}》进行了满意度测评",
        "referred": f"会议对《{item.title}》予以交办",
    }[item.outcome]
    result = f"，测评结果为{GRADES[item.grade]}" if item.grade else ""
    return f"{said}{result}。{_ended(item.outcome_text)}"


def _ended(text: str) -> str:
    """With a full stop, where there is a text that has none."""
    return text if not text or text.endswith(("。", "！", "？", "；")) else f"{text}。"
