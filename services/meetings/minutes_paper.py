"""What stands in minutes on paper: facts, headings and paragraphs in their order, for whatever kind of file."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from chassis.wire import read_date, word
from quanyutong.meetings.v1 import agenda_pb2, meeting_pb2, preparations_pb2
from quanyutong.meetings.v1 import minutes_pb2 as pb
from services.meetings.composing import local, name_of
from services.meetings.minutes_text import (
    CLASSES,
    FORMS,
    GRADES,
    KINDS,
    OUTCOMES,
    PREPARATIONS,
    day_text,
    number_text,
    ordinal,
    span_text,
    time_text,
)

HEADING, ITEM, TEXT = "heading", "item", "text"


class Line(NamedTuple):
    """A paragraph, and what it is."""

    kind: str
    text: str


def facts_of(minutes: pb.Minutes) -> list[tuple[str, str]]:
    """The table at the beginning."""
    record = minutes.record
    kind = KINDS[word(meeting_pb2.MeetingKind, record.kind)]
    if form := FORMS.get(word(meeting_pb2.MeetingForm, record.form)):
        kind = f"{kind}（{form}）"
    return [
        ("会议主体", record.body_display_name),
        ("会议类别", kind),
        ("届次", number_text(record.term_number, record.number)),
        ("时间", span_text(local(record.convene_time), local(record.adjourn_time))),
        ("地点", record.venue_display_name or "未登记"),
        ("主持人", minutes.chair.display_name),
        ("记录人", minutes.secretary.display_name),
    ]


def lines_of(minutes: pb.Minutes) -> Iterator[Line]:
    """All below the table. A part without anything in it is left out, and the parts are numbered through."""
    record = minutes.record
    parts = {
        "会议概况": _texts(minutes.summary),
        "出席情况": _texts(_attendance(record.attendance)),
        "会前准备": _texts(map(_preparation, record.preparations)),
        "议题及审议情况": [line for item in record.items for line in _item(item)],
        "议定事项": _texts(minutes.resolutions),
        "协商措施": _texts(_measure(record)),
        "其他事项": _texts(minutes.remarks),
        "签署": _texts(_signatures(minutes)),
    }
    filled = [(title, lines) for title, lines in parts.items() if lines]
    for place, (title, lines) in enumerate(filled, 1):
        yield Line(HEADING, f"{ordinal(place)}、{title}")
        yield from lines


def _texts(texts: Iterable[str]) -> list[Line]:
    return [Line(TEXT, text) for text in texts]


def _attendance(there: pb.MinutesAttendance) -> Iterator[str]:
    counts = {"应到": there.expected, "实到": there.attended, "请假": there.on_leave, "缺席": there.absent}
    yield "，".join(f"{title}{count}人" for title, count in counts.items()) + f"；列席{there.observers}人。"
    if there.rule_version:
        yield (
            f"宣布开会时到会{there.present_at_convening}人，法定人数{there.needed}人"
            f"（依据规则{there.rule_version}），达到法定人数。"
        )
    lists = {
        "出席": there.attendees,
        "请假": there.attendees_on_leave,
        "缺席": there.absentees,
        "列席": there.observing,
    }
    yield from (f"{title}：{'、'.join(map(name_of, people))}" for title, people in lists.items() if people)


def _preparation(preparation: pb.MinutesPreparation) -> str:
    kind = PREPARATIONS[word(preparations_pb2.PreparationKind, preparation.kind)]
    return f"{kind}（{preparation.source}）{'：' if preparation.note else ''}{preparation.note}"


def _item(item: pb.MinutesItem) -> Iterator[Line]:
    kind = CLASSES[word(agenda_pb2.ItemClass, item.item_class)]
    yield Line(ITEM, f"（{ordinal(item.position)}）{item.title}（{'专题' if item.special_inquiry else ''}{kind}）")
    yield from _texts(_course(item))


def _course(item: pb.MinutesItem) -> Iterator[str]:
    """What happened to an item, in the order in which it does."""
    if item.reporter:
        yield f"报告单位：{item.reporter}"
    yield from (f"附件：{each.title}（SHA-256 {each.sha256}）" for each in item.attachments)
    yield from map(_speech, item.speeches)
    for question in item.questions:
        yield from _question(question)
    if item.left_open_reason:
        yield f"未答复询问的说明：{item.left_open_reason}"
    if item.HasField("evaluation"):
        yield _evaluation(item.evaluation)
    yield _outcome(item)
    yield from (f"审议意见：{_opinion(each)}" for each in item.opinions)


def _speech(speech: pb.MinutesSpeech) -> str:
    said = f"：{speech.summary}" if speech.summary else ""
    return f"发言：{name_of(speech.speaker)}（{local(speech.begin_time):%H:%M}）{said}"


def _question(question: pb.MinutesQuestion) -> Iterator[str]:
    yield f"询问：{name_of(question.asker)}向{question.asked_of}询问：{question.content}"
    yield f"答复（{question.answered_by}）：{question.answer}" if question.answer else "答复：当场未答复"


def _evaluation(found: agenda_pb2.Evaluation) -> str:
    rules = f"（依据规则{'、'.join(found.rule_versions)}）" if found.rule_versions else ""
    if found.method == agenda_pb2.EVALUATION_METHOD_SCORE:
        points, hundredths = divmod(found.average_hundredths, 100)
        return f"满意度测评：收回评分{found.score_count}份，平均{points}.{hundredths:02}分{rules}。"
    return (
        f"满意度测评：应测评{found.members}人，满意{found.satisfied}票，基本满意{found.basically_satisfied}票，"
        f"不满意{found.dissatisfied}票，结果为{GRADES[word(agenda_pb2.Satisfaction, found.result)]}{rules}。"
    )


def _outcome(item: pb.MinutesItem) -> str:
    if item.state == agenda_pb2.ITEM_STATE_WITHDRAWN:
        outcome = "撤回议题"
    elif item.outcome:
        outcome = OUTCOMES[word(agenda_pb2.ItemOutcome, item.outcome)]
    else:
        outcome = "未形成结果"
    return f"结果：{outcome}{'。' if item.outcome_text else ''}{item.outcome_text}"


def _opinion(opinion: pb.MinutesOpinion) -> str:
    due = read_date(opinion, "due_date")
    until = f"，{day_text(due)}前答复" if due else ""
    return opinion.content + (f"（{opinion.undertaker}承办{until}）" if opinion.undertaker else "")


def _measure(record: pb.MinutesRecord) -> Iterator[str]:
    if due := read_date(record.measure, "due_date"):
        yield record.measure.content
        yield f"承办：{record.measure.owner}；期限：{day_text(due)}"


def _signatures(minutes: pb.Minutes) -> Iterator[str]:
    """Who signed with which account: an account that signs for somebody else shows."""
    for title, signer in (("主持人", minutes.chair), ("记录人", minutes.secretary)):
        signed = "未签署"
        if signer.subject:
            signed = f"{time_text(local(signer.sign_time))}签署（账号{signer.subject}）"
        yield f"{title}：{signer.display_name}　{signed}"
    yield f"SHA-256：{minutes.digest}" if minutes.digest else "草稿，尚未经主持人和记录人签署，不具效力。"
