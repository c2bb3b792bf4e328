"""The polling hall over gRPC: the desk that hands out papers, and the box that takes ballots.

Each has a connection and a token of its own, so that nothing in a call to the box leads to the delegate. What a call
carries is written in two fields, so no generated code is needed: the messages are described in
`protos/quanyutong/ballots/v1/voting.proto`.

    hall = Hall("vote.example.cn:443", poll)
    voter = Voter(folder, await hall.terms(token_of_delegate))
    await voter.take(hall.desk(token_of_delegate))
    await voter.cast(hall.box(voter.terms, token_of_box), {"projects": ["p01", "p04"]})
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import grpc

from quanyutong_client.encoding import Malformed, read_json
from quanyutong_client.messages import content_of, message
from quanyutong_client.terms import Terms

SERVICE: Final = "/quanyutong.ballots.v1.BallotsService"
# Seconds for one answer. A step that got none is made again, with the same bytes.
PATIENCE: Final = 30.0
# Fields of the messages.
NAME, ENTITLED_BOX, BOX_TERMS = 1, 3, 4


@dataclass(frozen=True, slots=True)
class Hall:
    """Where a poll is held: the platform's address, the poll (`polls/<uuid>`), and who vouches for the address.

    `credentials` are those of TLS; None speaks without it, which only a test should do.
    """

    address: str
    poll: str
    credentials: grpc.ChannelCredentials | None = None

    async def terms(self, token: str) -> Terms:
        """The terms of the box in which the delegate of this token votes. Raises Malformed."""
        answer = await self.call("GetEntitlement", token, message((NAME, self.poll.encode())))
        text = content_of(content_of(answer, ENTITLED_BOX), BOX_TERMS)
        if not text:
            raise Malformed("a poll without terms: it is not open, or it is held on paper")
        return Terms.of(read_json(text))

    def desk(self, token: str) -> "DeskOf":
        """`token` is the delegate's own."""
        return DeskOf(self, token)

    def box(self, terms: Terms, token: str) -> "BoxOf":
        """`token` is that of the district's ballot box: it names nobody."""
        _, _, number = terms.poll.partition(".")
        return BoxOf(self, f"{self.poll}/boxes/{number or 1}", token)

    async def call(self, method: str, token: str, request: bytes) -> bytes:
        """One call over a connection of its own: no two of them belong together. Raises grpc.aio.AioRpcError."""
        async with self._channel() as channel:
            rpc: Any = channel.unary_unary(f"{SERVICE}/{method}")
            answer: bytes = await rpc(request, metadata=(("authorization", f"Bearer {token}"),), timeout=PATIENCE)
        return answer

    @asynccontextmanager
    async def _channel(self) -> AsyncIterator[grpc.aio.Channel]:
        # Or channels of one address share a connection.
        apart = (("grpc.use_local_subchannel_pool", 1),)
        if self.credentials is None:
            async with grpc.aio.insecure_channel(self.address, apart) as channel:
                yield channel
        else:
            async with grpc.aio.secure_channel(self.address, self.credentials, apart) as channel:
                yield channel


@dataclass(frozen=True, slots=True)
class DeskOf:
    """The desk, to one delegate."""

    hall: Hall
    token: str

    async def take(self, blinded: bytes) -> bytes:
        request = message((NAME, self.hall.poll.encode()), (2, blinded))
        return content_of(await self.hall.call("TakePaper", self.token, request), 1)


@dataclass(frozen=True, slots=True)
class BoxOf:
    """A ballot box, to anybody."""

    hall: Hall
    name: str
    token: str

    async def cast(self, ballot: bytes) -> bytes:
        request = message((NAME, self.name.encode()), (2, ballot))
        return content_of(await self.hall.call("CastBallot", self.token, request), 1)
