"""`qyt gateway`: for operators who run an Envoy of their own."""

import asyncio
import csv
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import click

from chassis import development
from chassis.commands import failing_clearly, run
from chassis.directory import District
from chassis.embedded.server import write_private
from chassis.settings import Settings
from gateway import keys
from gateway.configuration import GatewayConfigInvalid
from gateway.frontdesk import frontdesk, served
from gateway.render import Plan
from gateway.serve import TRACES
from gateway.upstream import Upstream

FRONTDESK = "127.0.0.1:7080"


def commands(upstreams: Callable[[Settings], Sequence[Upstream]]) -> click.Group:
    """The group `gateway`. `upstreams` says what stands behind the gateway under given settings."""

    @click.group()
    def gateway() -> None:
        """The public address of the platform."""

    @gateway.command()
    @click.option("--output", type=click.Path(file_okay=False, path_type=Path), help="folder to write files into")
    @click.option("--districts", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="CSV: code,name")
    @click.option("--frontdesk", "desk", default=FRONTDESK, show_default=True, help="where `gateway frontdesk` listens")
    @failing_clearly
    def render(output: Path | None, districts: Path | None, desk: str) -> None:
        """Print Envoy's configuration, or write it as files that can be changed while Envoy runs."""
        settings = Settings.load()
        plan = _plan(settings, upstreams(settings), districts, desk, output or Path())
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

    return gateway


def _plan(settings: Settings, upstreams: Sequence[Upstream], districts: Path | None, desk: str, folder: Path) -> Plan:
    return Plan(
        settings=settings,
        upstreams=tuple(upstreams),
        districts=_districts(districts),
        keys=keys.at(development.jwks(settings)),
        listen=settings.gateway_listen,
        frontdesk=desk,
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
