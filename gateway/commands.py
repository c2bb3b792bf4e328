"""`qyt gateway`: for operators who run an Envoy of their own."""

import asyncio
import csv
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import click

from chassis import development
from chassis.bus import Bus
from chassis.commands import failing_clearly, run
from chassis.directory import District, followed
from chassis.embedded.server import write_private
from chassis.settings import Settings, SettingsInvalid
from gateway import keys
from gateway.configuration import GatewayConfigInvalid
from gateway.console.serve import console
from gateway.frontdesk import frontdesk, served
from gateway.render import Plan
from gateway.serve import TRACES
from gateway.upstream import Upstream

FRONTDESK, CONSOLE = "127.0.0.1:7080", "127.0.0.1:7081"


def commands(upstreams: Callable[[Settings], Sequence[Upstream]]) -> click.Group:
    """The group `gateway`. `upstreams` says what stands behind the gateway under given settings."""

    @click.group()
    def gateway() -> None:
        """The public address of the platform."""

    @gateway.command()
    @click.option("--output", type=click.Path(file_okay=False, path_type=Path), help="folder to write files into")
    @click.option("--districts", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="CSV: code,name")
    @click.option("--frontdesk", "desk", default=FRONTDESK, show_default=True, help="where `gateway frontdesk` listens")
    @click.option("--console", "pages", default=CONSOLE, show_default=True, help="where `gateway console` listens")
    @failing_clearly
    def render(output: Path | None, districts: Path | None, desk: str, pages: str) -> None:
        """Print Envoy's configuration, or write it as files that can be changed while Envoy runs."""
        settings = Settings.load()
        plan = _plan(settings, upstreams(settings), districts, (desk, pages), output or Path())
        if output is None:
            click.echo(json.dumps(plan.standalone(), ensure_ascii=False, indent=1))
        else:
            _write(output.absolute(), plan)

    @gateway.command("frontdesk")
    @click.option("--listen", default=FRONTDESK, show_default=True, help="host:port that only Envoy reaches")
    @failing_clearly
    def serve_frontdesk(listen: str) -> None:
        """Run the gateway's own services (health, reflection, reading of REST bodies) for an Envoy of yours."""
        settings = Settings.load()
        run(_serve_frontdesk(settings, upstreams(settings), listen))

    @gateway.command("console")
    @click.option("--listen", default=CONSOLE, show_default=True, help="host:port that only Envoy reaches")
    @failing_clearly
    def serve_console(listen: str) -> None:
        """Run the web pages for an Envoy of yours."""
        settings = Settings.load()
        run(_serve_console(settings, upstreams(settings), listen))

    return gateway


def _plan(
    settings: Settings, upstreams: Sequence[Upstream], districts: Path | None, beside: tuple[str, str], folder: Path
) -> Plan:
    return Plan(
        settings=settings,
        upstreams=tuple(upstreams),
        districts=_districts(districts),
        keys=keys.at(development.jwks(settings)),
        listen=settings.gateway_listen,
        frontdesk=beside[0],
        console=beside[1] if settings.console else None,
        frontdesk_services=served(reflected=settings.reflection),
        admin=folder.absolute() / "admin.sock",
        traces=os.environ.get(TRACES),
        # A private key stays in its file.
        secrets_inline=False,
    )


def _districts(file: Path | None) -> tuple[District, ...]:
    """The districts of a CSV with the columns code and name."""
    if file is None:
        return ()
    with file.open(encoding="utf-8-sig", newline="") as lines:
        try:
            return tuple(District(row["code"].strip(), row["name"].strip()) for row in csv.DictReader(lines))
        except (KeyError, AttributeError):
            raise GatewayConfigInvalid(f"{file}: the columns code and name are needed in every line") from None


def _write(folder: Path, plan: Plan) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, text in plan.files(folder).items():
        write_private(folder / name, text)
    click.echo(f"envoy --config-path {folder / 'bootstrap.json'}")


async def _serve_frontdesk(settings: Settings, upstreams: Sequence[Upstream], listen: str) -> None:
    async with frontdesk(upstreams, reflected=settings.reflection, listen=listen) as desk:
        click.echo(f"the front desk listens on {desk.address}")
        await asyncio.Event().wait()


async def _serve_console(settings: Settings, upstreams: Sequence[Upstream], listen: str) -> None:
    if settings.nats_url is None:
        raise SettingsInvalid("QYT_NATS_URL is needed by web pages that run alone: they hear of districts there")
    bus = await Bus.connect(settings.nats_url.get_secret_value(), "qyt-console", settings.nats_replicas)
    try:
        directory = await followed(bus)
        async with console(settings, upstreams, directory, development.jwks(settings), listen) as address:
            click.echo(f"the console listens on {address}")
            await asyncio.Event().wait()
    finally:
        await bus.close()
