"""All that a district can be asked, so that what it answers can be compared: found in the descriptors."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

import grpc
from google.protobuf.message import Message

from tests.isolation.examples import requests
from tests.isolation.rpcs import ENDLESS, OF_CITY, RPCS, Metadata, Outcome, answer_of, outcome, short

NAME = re.compile(r"[a-z][a-zA-Z]*/[^/ ]+(/[a-z][a-zA-Z]*/[^/ ]+)*(/minutes)?")
# Small, so that whatever there is fills several pages.
PAGE = 3
Answers = dict[tuple[str, bytes], Outcome]


def reading() -> list[str]:
    """The RPCs that read in one district and end.

    Not its audit, which records that it was suspended and resumed, and not what the city adds up, which comes later.
    """
    without = ENDLESS | OF_CITY | {"ListAudit", "VerifyAudit"}
    return [path for path, rpc in RPCS.items() if rpc.safe and rpc.tenant and short(path) not in without]


async def everything(channel: grpc.aio.Channel, metadata: Metadata) -> Answers:
    """What each RPC answers, or how it refuses, for each resource name that some answer holds, and for none."""
    answers: Answers = {}
    names, asked = {""}, set[str]()
    while new := names - asked:
        asked |= new
        for path in reading():
            for request in filter(None, (_request(path, name) for name in new)):
                names |= await _ask(channel, metadata, path, request, answers)
    return answers


def _request(path: str, name: str) -> Any:
    """None where the RPC wants a name of another kind."""
    try:
        (request,) = requests(path, [name] if name else [])
    except StopIteration:
        return None
    if "page_size" in request.DESCRIPTOR.fields_by_name:
        request.page_size = PAGE  # type: ignore[attr-defined]
    return request


async def _ask(channel: grpc.aio.Channel, metadata: Metadata, path: str, request: Any, answers: Answers) -> set[str]:
    names = set[str]()
    while (key := (path, request.SerializeToString(deterministic=True))) not in answers:
        answers[key] = await outcome(channel, path, [key[1]], metadata)
        for content in answers[key].answers:
            answer: Any = answer_of(path).FromString(content)
            names |= {text for text in _texts(answer) if NAME.fullmatch(text)}
            if token := getattr(answer, "next_page_token", ""):
                request.page_token = token
    return names


def _texts(message: Message) -> Iterator[str]:
    for field, value in message.ListFields():
        for item in _items(field, value):
            if isinstance(item, str):
                yield item
            elif isinstance(item, Message):
                yield from _texts(item)


def _items(field: Any, value: Any) -> Iterable[Any]:
    return value if field.is_repeated else [value]
