"""Envoy's own door for its operator: readiness, counters, draining. A socket that only this user can open."""

import asyncio
import http.client
import json
import socket
from pathlib import Path

PATIENCE = 5.0


class AdminSilent(Exception):
    """Envoy does not answer on its socket: it is starting, stopping or gone."""


class Admin:
    """Questions to one running Envoy."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def live(self) -> bool:
        """Whether Envoy has read its whole configuration and serves."""
        status, _ = await self._ask("GET", "/ready")
        return status == http.HTTPStatus.OK

    async def listeners(self) -> set[str]:
        """The listeners that are open."""
        _, text = await self._ask("GET", "/listeners?format=json")
        return {entry["name"] for entry in json.loads(text).get("listener_statuses", [])}

    async def counter(self, name: str) -> int:
        """The sum of the counters or gauges with names like this, 0 if there is none yet."""
        _, text = await self._ask("GET", f"/stats?filter=^{name}$&format=json")
        return sum(entry.get("value", 0) for entry in json.loads(text)["stats"])

    async def drain(self) -> None:
        """Asks clients to leave: connections are told so, each as its calls end."""
        await self._ask("POST", "/healthcheck/fail")
        await self._ask("POST", "/drain_listeners?graceful&skip_exit")

    async def _ask(self, method: str, path: str) -> tuple[int, str]:
        return await asyncio.to_thread(self._ask_blocking, method, path)

    def _ask_blocking(self, method: str, path: str) -> tuple[int, str]:
        connection = _UnixConnection(self._path)
        try:
            connection.request(method, path, headers={"connection": "close"})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except (OSError, http.client.HTTPException) as error:
            raise AdminSilent(f"{type(error).__name__}: {error}") from error
        finally:
            connection.close()


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("envoy", timeout=PATIENCE)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(PATIENCE)
        self.sock.connect(str(self._path))
