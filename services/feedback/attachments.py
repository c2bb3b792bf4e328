"""What is known of the files that belong to an opinion: metadata, kept as JSON in its row."""

import json
from collections.abc import Iterable

from google.protobuf import json_format

from quanyutong.feedback.v1.opinions_pb2 import OpinionAttachment


def kept(attachments: Iterable[OpinionAttachment]) -> str:
    return json.dumps([json_format.MessageToDict(each) for each in attachments], ensure_ascii=False)


def shown(text: str) -> list[OpinionAttachment]:
    return [json_format.ParseDict(each, OpinionAttachment()) for each in json.loads(text)]
