"""One process of the platform, from its start to its end; read it top to bottom.

Starting: embedded servers, migrations, bus, directory, services, duties, then
ready. Stopping, in reverse: not ready, calls in flight, duties, pools, servers.
"""

import asyncio
import contextlib
import gc
import logging
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from pydantic import SecretStr

from chassis import development, working_days
from chassis.auth import Keys, Verifier
from chassis.bus import Bus
from chassis.consumer import Consumer
from chassis.database import Database
from chassis.directory import Directory, followed
from chassis.duties import Duty, clear_answers, lead
from chassis.embedded import embedded_servers
from chassis.manifest import Manifest, Round, package_of
from chassis.migrations import check_database, migrate, open_database, relay_url
from chassis.peers import Peers
from chassis.placement import places, settings_of
from chassis.probes import probes
from chassis.relay import Relay
from chassis.rounds import go_round
from chassis.sealing import Sealer, backlogs
from chassis.server import listening
from chassis.settings import Settings, SettingsInvalid
from chassis.tasks import beside
from chassis.telemetry import Telemetry
from chassis.teller import Teller
from chassis.vault import Vault
from chassis.workers import working

log = logging.getLogger(__name__)
# Seconds for the events of the last calls to be relayed; what is not is relayed by the next process.
LAST_EVENTS = 2.0
# What opens the public door: given settings, the directory, where the keys are, and the addresses of the
# services that run here; it yields the public URL.
Door = Callable[[Settings, Directory, str, Sequence[str]], AbstractAsyncContextManager[str]]


@dataclass(frozen=True)
class Running:
    """What a process has to say of itself when it is ready."""

    settings: Settings
    addresses: Sequence[str]
    gateway: str | None
    metrics: str


async def serve(
    settings: Settings,
    target: str,
    manifests: Sequence[Manifest],
    door: Door | None,
    announce: Callable[[Running], None],
    workers: int = 1,
) -> None:
    """Runs until SIGINT or SIGTERM."""
    stop = asyncio.Event()

    async def live() -> None:
        async with running(settings, target, manifests, door, workers) as process:
            announce(process)
            started.set()
            gc.collect()
            gc.freeze()  # what was loaded stays: no collection has to look at it again
            await stop.wait()
            log.info("stopping")

    def end() -> None:
        stop.set()
        if not started.is_set():  # whatever has started so far is ended in order
            life.cancel()

    started = asyncio.Event()
    life = asyncio.create_task(live())
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, end)
    await asyncio.wait((life,))
    if not life.cancelled():
        life.result()


@asynccontextmanager
async def running(
    settings: Settings, target: str, manifests: Sequence[Manifest], door: Door | None, workers: int = 1
) -> AsyncIterator[Running]:
    if not manifests and settings.nats_url is None:
        raise SettingsInvalid("QYT_NATS_URL is needed by a gateway that runs alone: it hears of districts there")
    async with AsyncExitStack() as stack:
        settings = await stack.enter_async_context(with_servers(settings, manifests))
        if len(manifests) == 1 and not door:
            settings = settings.for_service(manifests[0].name)
        working_days.announce(settings.announced_days)
        telemetry = Telemetry(settings, target)
        stack.callback(telemetry.close)
        bus = await _connect(stack, settings, target, manifests)
        directory = await followed(bus)
        keys = development.jwks(settings)
        ready = False
        # Not without the bus, too: its absence delays events, while refusing calls for it would stop all districts.
        metrics = stack.enter_context(probes(settings.metrics_listen, lambda: ready))
        addresses: Sequence[str] = ()
        if manifests and workers > 1:
            names = [manifest.name for manifest in manifests]
            addresses = await stack.enter_async_context(working(settings, names, workers))
        elif manifests:
            verifier = Verifier(Keys(keys), settings.issuer, settings.audience)
            services = [(manifest, _open(stack, settings, manifest)) for manifest in manifests]
            # Before the listener, so that it ends after it: calls that are let finish still have their events relayed.
            await stack.enter_async_context(_duties(settings, bus, directory, services, telemetry))
            peers = Peers(settings, bus)
            stack.push_async_callback(peers.close)
            listener = await stack.enter_async_context(
                listening(settings, services, verifier, directory, telemetry, peers)
            )
            addresses = [listener.address]
            await _filled(directory)
            await listener.ready(True)
        gateway = None
        if door:
            await _filled(directory)
            gateway = await stack.enter_async_context(door(settings, directory, keys, addresses))
        ready = True
        try:
            yield Running(settings, addresses, gateway, metrics)
        finally:
            ready = False


@asynccontextmanager
async def with_servers(settings: Settings, manifests: Sequence[Manifest]) -> AsyncIterator[Settings]:
    """Settings that name a database and a bus: embedded where none is set. The schemas are up to date in the end."""
    own = [settings_of(manifest, settings) for manifest in manifests]
    postgres = any(s.database_url is None and s.runtime_database_url is None for s in own)
    async with embedded_servers(settings.state, postgres=postgres, nats=settings.nats_url is None) as servers:
        urls = {"database_url": servers.postgres, "nats_url": servers.nats}
        settings = settings.model_copy(update={name: SecretStr(url) for name, url in urls.items() if url})
        for manifest in manifests:
            if postgres:
                await migrate(manifest, settings_of(manifest, settings))
            await check_database(manifest, settings_of(manifest, settings))
        yield settings


async def _connect(stack: AsyncExitStack, settings: Settings, target: str, manifests: Sequence[Manifest]) -> Bus:
    assert settings.nats_url is not None  # noqa: S101 - with_servers has set it
    bus = await Bus.connect(settings.nats_url.get_secret_value(), f"qyt-{target}", settings.nats_replicas)
    stack.push_async_callback(bus.close)
    events = [kind for manifest in manifests for kind in (*manifest.publishes, *manifest.consumes)]
    await bus.ensure_streams({package_of(kind.DESCRIPTOR.full_name) for kind in events})
    return bus


def _open(stack: AsyncExitStack, settings: Settings, manifest: Manifest) -> Database:
    database = open_database(settings_of(manifest, settings), manifest.name)
    stack.push_async_callback(database.close)
    return database


@asynccontextmanager
async def _duties(
    settings: Settings,
    bus: Bus,
    directory: Directory,
    services: Sequence[tuple[Manifest, Database]],
    telemetry: Telemetry,
) -> AsyncIterator[None]:
    relays, sealers, works = [], [], []
    vault = Vault.of(settings)
    for manifest, database in services:
        for place in places(settings_of(manifest, settings)):
            relays.append(Relay(bus, database.place_of(next(iter(place.districts), "")).published))
            duties: list[Duty] = [bus.present, relays[-1].run, clear_answers]
            if manifest.consumes:
                duties.append(Consumer(manifest.name, bus, database, manifest.consumes, place.districts).run)
            duties += [_going(each, database, vault, directory, place.districts) for each in manifest.rounds]
            if manifest.seals:
                counted = manifest.figures and Teller(database, directory, manifest.figures, place.districts)
                changed = [counted.changed] if counted else []
                sealers.append(Sealer(database, vault, directory, manifest.seals, place.districts, *changed))
                duties += [sealers[-1].run, *([counted.run] if counted else [])]
            works.append(lead(relay_url(place.settings, manifest.name), manifest.name, duties))
    telemetry.gauge(
        "qyt_audit_unsealed", "s", "Age of the oldest record that is not sealed.", lambda: backlogs(sealers)
    )
    async with beside(*works):
        try:
            yield
        finally:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LAST_EVENTS):
                    await asyncio.gather(*(relay.finish() for relay in relays))


def _going(round_: Round, database: Database, vault: Vault, directory: Directory, districts: Sequence[str]) -> Duty:
    return lambda _: go_round(round_, database, vault, directory, districts)


async def _filled(directory: Directory) -> None:
    """No district, no service: on the very first start the registry's relay has yet to publish them."""
    while not directory.entries:
        log.info("waiting for the directory of districts")
        await directory.changed()
