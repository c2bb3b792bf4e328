"""What makes two requests the same, and how long an answer is kept."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import copy_context

import asyncpg
from google.protobuf.message import Message

from chassis import idempotency
from chassis.duties import clear_answers
from chassis.migrations import relay_url
from chassis.settings import Settings
from quanyutong.registry.v1 import persons_pb2
from tests.harness import Platform, until

REQUEST = persons_pb2.CreatePersonRequest(person=persons_pb2.Person(display_name="王小明"))


def identified(
    request_id: str = "1", *messages: Message, subject: str = "me", path: str = "/a"
) -> idempotency.Request | None:
    """What a call of its own is known by."""

    def call() -> idempotency.Request | None:
        idempotency.begin(subject, path, [b"key", b"replaced key"])
        idempotency.identify(request_id, messages or [REQUEST])
        return idempotency.current()

    return copy_context().run(call)


def digest(*messages: Message, path: str = "/a") -> bytes:
    request = identified("1", *messages, path=path)
    assert request is not None
    return request.digest


def test_same_request_is_the_same() -> None:
    assert identified() == identified("1", persons_pb2.CreatePersonRequest.FromString(REQUEST.SerializeToString()))


def test_any_difference_makes_another() -> None:
    changed = persons_pb2.CreatePersonRequest(person=persons_pb2.Person(display_name="王小红"))
    digests = [digest(), digest(changed), digest(path="/b"), digest(REQUEST, changed), digest(changed, REQUEST)]
    assert len(set(digests)) == len(digests)


def test_two_messages_are_not_one_long_message() -> None:
    """Serialized messages can be concatenated: where one ends must count too."""
    name, residence = persons_pb2.Person(display_name="王"), persons_pb2.Person(residence="units/1")
    whole = persons_pb2.Person(display_name="王", residence="units/1")
    assert digest(name, residence) != digest(whole)


def test_caller_is_part_of_it() -> None:
    mine, yours = identified(), identified(subject="you")
    assert mine is not None
    assert yours is not None
    assert (mine.subject, yours.subject) == ("me", "you")


def test_without_an_id_nothing_is_kept() -> None:
    assert identified("") is None
    assert idempotency.current() is None


async def test_answers_are_forgotten_after_a_day(city: Platform) -> None:
    """By the role that relays, which can neither read them nor touch anything else."""
    district = await city.fresh_district()
    admin = await asyncpg.connect(city.postgres.url)
    for hours in (23, 25):
        await admin.execute(
            """INSERT INTO registry.idempotency (district, subject, request_id, digest, answer, answered_at)
               VALUES ($1, 'me', $2::int::text, '', '', now() - make_interval(hours => $2::int))""",
            district,
            hours,
        )

    async def kept() -> list[str]:
        query = "SELECT request_id FROM registry.idempotency WHERE district = $1"
        return [row["request_id"] for row in await admin.fetch(query, district)]

    clearing = asyncio.create_task(clear_answers(lambda: as_relay(city)))
    try:
        await until(lambda: is_now(kept, ["23"]))
    finally:
        clearing.cancel()
        await asyncio.gather(clearing, return_exceptions=True)
        await admin.close()


async def is_now(read: object, expected: list[str]) -> bool:
    assert callable(read)
    return bool(await read() == expected)


@asynccontextmanager
async def as_relay(city: Platform) -> AsyncIterator[asyncpg.Connection]:
    settings = Settings(database_url=city.environment["QYT_DATABASE_URL"])
    url = relay_url(settings, "registry").set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await asyncpg.connect(url, server_settings={"search_path": "registry"})
    try:
        yield connection
    finally:
        await connection.close()
