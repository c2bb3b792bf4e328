"""The gateway as a running thing: `qyt serve --target gateway`."""

import os
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from chassis.directory import Directory
from chassis.embedded.ports import free_port, is_free
from chassis.settings import Settings
from chassis.tasks import beside
from gateway import keys, tls
from gateway.console.serve import console
from gateway.envoy import Envoy, GatewayFailed, binary
from gateway.frontdesk import Frontdesk, frontdesk
from gateway.keeper import Keeper
from gateway.render import Plan
from gateway.upstream import Upstream, split_address

PORT_ATTEMPTS = 5
TRACES = "OTEL_EXPORTER_OTLP_ENDPOINT"


@asynccontextmanager
async def gateway(
    settings: Settings, upstreams: Sequence[Upstream], directory: Directory, jwks: str
) -> AsyncIterator[str]:
    """Runs the front desk, the console and Envoy before `upstreams`, and yields the public URL once it answers.

    `jwks` is where the key set is: a file, read again when it changes, or an https
    URL. On leaving, calls under way may finish within QYT_SHUTDOWN_GRACE. Raises
    GatewayConfigInvalid or GatewayFailed, with nothing left running.
    """
    async with _site(settings, upstreams, directory, jwks) as site:
        listen, keeper, envoy = await _open(site)
        try:
            async with beside(envoy.supervise(), keeper.keep()):
                yield _url(settings, listen)
        finally:
            site.desk.health.leave()
            await envoy.stop()


@dataclass(frozen=True)
class _Site:
    """What stays the same while the gateway runs."""

    settings: Settings
    upstreams: tuple[Upstream, ...]
    directory: Directory
    jwks: str
    program: Path
    folder: Path
    output: Path
    admin: Path
    desk: Frontdesk
    console: str | None

    def plan(self, listen: str) -> Plan:
        return Plan(
            settings=self.settings,
            upstreams=self.upstreams,
            districts=tuple(sorted(self.directory.entries.values(), key=lambda entry: entry.code)),
            keys=keys.at(self.jwks),
            listen=listen,
            frontdesk=self.desk.address,
            frontdesk_services=self.desk.services,
            admin=self.admin,
            console=self.console,
            traces=os.environ.get(TRACES),
        )

    def keeper(self, listen: str) -> Keeper:
        watched = [*keys.files(self.jwks), *tls.files(self.settings)]
        return Keeper(self.program, self.folder, lambda: self.plan(listen), self.directory, watched, self.output)

    def envoy(self) -> Envoy:
        return Envoy(self.program, self.folder / "bootstrap.json", self.admin, self.output, self.settings)


@asynccontextmanager
async def _site(
    settings: Settings, upstreams: Sequence[Upstream], directory: Directory, jwks: str
) -> AsyncIterator[_Site]:
    program = binary(settings)
    folder = settings.state / "gateway"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    async with frontdesk(upstreams, reflected=settings.reflection) as desk, AsyncExitStack() as pages:
        address = None
        if settings.console:
            address = await pages.enter_async_context(console(settings, upstreams, directory, jwks))
        # Not in `folder`: the path of a Unix socket has 107 bytes at most, and `state` may be longer.
        with tempfile.TemporaryDirectory(prefix="qyt-envoy-") as private:
            admin = Path(private) / "admin.sock"
            output = _output(settings, folder)
            yield _Site(settings, tuple(upstreams), directory, jwks, program, folder, output, admin, desk, address)


async def _open(site: _Site) -> tuple[str, Keeper, Envoy]:
    """Envoy on the address of the settings; on a free port, tried anew if somebody else took it, for port 0."""
    host, port = split_address(site.settings.gateway_listen)
    for attempt in range(1, PORT_ATTEMPTS + 1):
        tried = port or free_port()
        listen = f"[{host}]:{tried}" if ":" in host else f"{host}:{tried}"
        keeper, envoy = site.keeper(listen), site.envoy()
        await keeper.apply()
        try:
            await envoy.start()
        except GatewayFailed:
            if port or is_free(tried) or attempt == PORT_ATTEMPTS:
                raise
        else:
            return listen, keeper, envoy
    raise AssertionError("unreachable")


def _output(settings: Settings, folder: Path) -> Path:
    """Where Envoy's log and the access log go: in production where the platform's own log goes, else in a file."""
    if settings.environment == "production" and os.access("/dev/stdout", os.W_OK):
        return Path("/dev/stdout")
    return folder / "envoy.log"


def _url(settings: Settings, listen: str) -> str:
    host, port = split_address(listen)
    reachable = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"{'https' if tls.enabled(settings) else 'http'}://{reachable}:{port}"
