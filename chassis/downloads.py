"""A file as an answer: in parts that fit a message. Through its REST path a browser downloads it."""

from collections.abc import Iterator

from google.api import httpbody_pb2

# Bytes of one part: well below what a gRPC message may have, and enough that a file is a few of them.
PART = 256 * 1024


def named(name: str) -> tuple[tuple[str, str], ...]:
    """What is said of a file of this name before its first part."""
    return (("content-disposition", f'attachment; filename="{name}"'),)


def parts(content: bytes, media_type: str) -> Iterator[httpbody_pb2.HttpBody]:
    for start in range(0, len(content), PART):
        yield httpbody_pb2.HttpBody(content_type=media_type, data=content[start : start + PART])
