"""A storm at a secret address, in a process of its own so that it takes no time of whoever measures: it says something
so many times a second until its input ends, and then prints how often each status was the answer.
"""

import asyncio
import json
import os
import re
import sys
from collections import Counter

CONNECTIONS = 16
TICK = 0.02


class Storm:
    """Over kept connections, with as little work for a call as there can be."""

    def __init__(self, host: str, port: int, path: str, rate: float) -> None:
        self._host, self._port, self._path = host, port, path
        self._pause = CONNECTIONS / rate
        self._stop = asyncio.Event()
        self.told: Counter[str] = Counter()

    async def rage(self) -> None:
        senders = [asyncio.create_task(self._sender(number)) for number in range(CONNECTIONS)]
        await asyncio.to_thread(sys.stdin.read)
        self._stop.set()
        await asyncio.gather(*senders)

    async def _sender(self, sender: int) -> None:
        reader, writer = await self._connected()
        loop, number = asyncio.get_running_loop(), 0
        due = loop.time() + sender * self._pause / CONNECTIONS
        while not self._stop.is_set():
            await asyncio.sleep(max(due - loop.time(), 0))
            due, number = max(due + self._pause, loop.time() - TICK), number + 1
            writer.write(self._said(f"{sender}-{number}"))
            status, kept = await _answer(reader)
            self.told[status] += 1
            if not kept:
                writer.close()
                reader, writer = await self._connected()
        writer.close()

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(self._host, self._port)

    def _said(self, what: str) -> bytes:
        body = json.dumps({"category": 1, "content": f"storm {what}"}).encode()
        head = f"POST {self._path} HTTP/1.1\r\nhost: storm\r\ncontent-type: application/json\r\n"
        return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


async def _answer(reader: asyncio.StreamReader) -> tuple[str, bool]:
    """The status, and whether the connection is kept: what is refused before it was read all is the last on its own."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    if length := re.search(r"content-length: (\d+)", head):
        await reader.readexactly(int(length[1]))
    else:
        await reader.readuntil(b"\r\n0\r\n\r\n")
    return head.split(" ")[1], "connection: close" not in head


async def _refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """What no platform is behind; a connection over which nothing comes is left."""
    if await reader.read(1024):
        writer.write(b"HTTP/1.1 429 Too Many Requests\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        await writer.drain()
    writer.close()


async def main(host: str, port: str, path: str, rate: str) -> None:
    """Without a host at a door of its own: what the storm takes of the machine wherever it goes."""
    os.nice(19)  # whoever storms has a machine of its own
    own = None if host else await asyncio.start_server(_refuse, "127.0.0.1", 0)
    if own:
        host, port = own.sockets[0].getsockname()[:2]
    storm = Storm(host, int(port), path, float(rate))
    await storm.rage()
    print(json.dumps(storm.told))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
