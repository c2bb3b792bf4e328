"""Boards of any length: a board of 10,000 ballots is several times what a gRPC message may be."""

from uuid import UUID

import asyncpg

from tests.ballots.polling import Polling
from tests.ballots.test_vote import over_rest

MESSAGE = 4 * 1024 * 1024
# One of 15 candidates in plenary takes some 900 bytes a ballot.
LENGTH = 10_000 * 1_200


async def put(polling: Polling, poll: str, board: str) -> None:
    """In the place of the board that was published: signing 10,000 papers would take minutes."""
    connection = await asyncpg.connect(polling.tenant.platform.postgres.url)
    try:
        await connection.execute("SELECT set_config('app.district', $1, false)", polling.district)
        key = UUID(poll.partition("/")[2])
        await connection.execute("UPDATE ballots.box SET board = $1 WHERE poll = $2", board, key)
    finally:
        await connection.close()


async def test_a_long_board_comes_whole(polling: Polling) -> None:
    vote = await polling.opened(1)
    await polling.voted(vote, [{"projects": ["p01"]}])
    await polling.certified(vote.poll)
    await polling.announce(vote.poll)
    lines = "".join(f"{number:08} 票决\n" for number in range(LENGTH // 16))
    assert len(lines.encode()) > 2 * MESSAGE
    await put(polling, vote.poll, lines)
    assert await polling.board(vote.poll) == lines.encode()
    if polling.tenant.door == "gateway":
        assert await over_rest(polling, vote.poll) == lines.encode()
