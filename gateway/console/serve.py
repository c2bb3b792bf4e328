"""The console as a running thing, on an address that only Envoy reaches."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager

import uvicorn

from chassis.auth import Keys, Verifier
from chassis.directory import Directory
from chassis.settings import Settings, SettingsInvalid
from chassis.tasks import ended
from chassis.vault import Vault
from gateway.console.app import application
from gateway.console.backend import Backend
from gateway.console.login import Provider
from gateway.console.page import Console, environment
from gateway.console.sessions import Sessions
from gateway.upstream import Upstream, split_address

# Pages that follow something never end by themselves.
LAST_ANSWERS = 2


@asynccontextmanager
async def console(
    settings: Settings, upstreams: Sequence[Upstream], directory: Directory, jwks: str, listen: str = "127.0.0.1:0"
) -> AsyncIterator[str]:
    """Runs it and yields its address, host:port. Raises SettingsInvalid; OSError where the address is taken."""
    async with Backend.over(upstreams) as backend:
        verifier = Verifier(Keys(jwks), settings.issuer, settings.audience)
        app = application(
            Console(
                settings=settings,
                backend=backend,
                sessions=Sessions(keys(settings), verifier),
                directory=directory,
                provider=Provider.of(settings),
                templates=environment(),
            )
        )
        host, port = split_address(listen)
        with contextlib.closing(socket.create_server((host, port))) as bound:
            server = _Server(
                uvicorn.Config(
                    app,
                    http="h11",
                    ws="none",
                    lifespan="off",
                    log_config=None,
                    # Paths name polls and opinions; the gateway has a log that does not.
                    access_log=False,
                    proxy_headers=False,
                    server_header=False,
                    timeout_graceful_shutdown=LAST_ANSWERS,
                )
            )
            serving = asyncio.create_task(server.serve(sockets=[bound]))
            try:
                yield f"{host}:{bound.getsockname()[1]}"
            finally:
                server.should_exit = True
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(2 * LAST_ANSWERS):
                        await asyncio.wait([serving])
                await ended([serving])


class _Server(uvicorn.Server):
    """The process has its own way to stop, of which this is a part."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def keys(settings: Settings) -> Vault:
    """What seals the cookies. Keys of their own: who has the gateway has none of the services' secrets.

    Raises SettingsInvalid where there are none outside development.
    """
    if settings.console_keys is not None:
        return Vault.of(settings.model_copy(update={"master_keys": settings.console_keys}))
    if settings.environment != "development":
        raise SettingsInvalid(
            "QYT_CONSOLE_KEYS is needed outside development: `openssl rand -base64 32` makes one; "
            "or switch the web pages off by QYT_CONSOLE=false"
        )
    return Vault.of(settings)
