"""`qyt`: the one file that knows every service."""

import json
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

import click

from chassis import process, whereabouts
from chassis.audit_commands import audit_commands
from chassis.commands import common_commands, failing_clearly, run
from chassis.directory import Directory
from chassis.figure_commands import tell_command
from chassis.manifest import Manifest
from chassis.moving.commands import district_commands
from chassis.settings import Settings, SettingsInvalid
from chassis.telemetry import log_to_stderr
from services.ballots.manifest import MANIFEST as BALLOTS
from services.feedback.manifest import MANIFEST as FEEDBACK
from services.meetings.manifest import MANIFEST as MEETINGS
from services.municipal.manifest import MANIFEST as MUNICIPAL
from services.registry.commands import districts
from services.registry.manifest import MANIFEST as REGISTRY

TARGETS: dict[str, Manifest] = {
    manifest.name: manifest for manifest in (REGISTRY, MEETINGS, BALLOTS, FEEDBACK, MUNICIPAL)
}


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="quanyutong")
def main() -> None:
    """Quanyutong (全渝通): the platform of Chongqing's grassroots democracy."""
    try:
        Settings.refuse_unknown(tuple(TARGETS))
        log_to_stderr(Settings.load().log_level)
    except SettingsInvalid as error:
        raise click.ClickException(str(error)) from None


@main.command()
@click.option(
    "--target",
    "targets",
    multiple=True,
    default=["all"],
    show_default=True,
    type=click.Choice(["all", "gateway", *TARGETS]),
    help="what this process runs; may be repeated",
)
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="processes of the services")
@failing_clearly
def serve(targets: Sequence[str], workers: int) -> None:
    """Run services, the gateway, or all of it, until Ctrl-C."""
    everything = "all" in targets
    manifests = [manifest for name, manifest in TARGETS.items() if everything or name in targets]
    door = gateway_door(manifests) if everything or "gateway" in targets else None
    name = "all" if everything else "-".join(targets)
    settings = Settings.load()
    try:
        run(process.serve(settings, name, manifests, door, announce, workers))
    finally:
        if door:
            whereabouts.remove(settings)


def gateway_door(here: Sequence[Manifest]) -> process.Door:
    """Opens the gateway before every service: those of this process, and those that the settings say elsewhere."""
    from gateway.serve import gateway

    def door(
        settings: Settings, directory: Directory, jwks: str, addresses: Sequence[str]
    ) -> AbstractAsyncContextManager[str]:
        own = {manifest.name: tuple(addresses) for manifest in here}
        return gateway(settings, upstreams(settings, own), directory, jwks)

    return door


def upstreams(settings: Settings, here: dict[str, tuple[str, ...]] | None = None) -> list[Any]:
    """Where each service is. Raises SettingsInvalid for one that is neither here nor in the settings."""
    from gateway.upstream import Upstream

    found = []
    for name, manifest in TARGETS.items():
        address = settings.for_service(name).address
        addresses = (here or {}).get(name) or tuple(filter(None, (address or "").split(",")))
        if not addresses:
            raise SettingsInvalid(f"QYT_{name.upper()}_ADDRESS is needed: host:port where {name} is served")
        found.append(Upstream(name, addresses, (manifest.service,)))
    return found


def announce(running: process.Running) -> None:
    """Says where the process listens, to people and to `qyt` commands beside it."""
    facts = {
        "gateway": running.gateway,
        "services": list(running.addresses),
        "metrics": running.metrics,
    }
    click.echo(json.dumps({name: fact for name, fact in facts.items() if fact}))
    if running.gateway:
        assert running.settings.nats_url is not None  # noqa: S101 - a running process has one
        nats = running.settings.nats_url.get_secret_value()
        database = running.settings.database_url
        embedded = database is not None and Settings.load().database_url is None
        own = {"postgres": database.get_secret_value()} if database and embedded else {}
        whereabouts.leave(running.settings, gateway=running.gateway, nats=nats, **own)
        click.echo(f"The platform listens on {running.gateway}; Ctrl-C stops it. Try:", err=True)
        if running.settings.environment == "development":
            qyt = os.path.relpath(sys.argv[0]) if sys.argv[0].endswith("qyt") else "qyt"
            call = f"'{running.gateway}/v1/districts?pageSize=5'"
            click.echo(f'  curl -H "authorization: Bearer $({qyt} token --role overseer)" {call}', err=True)


def _gateway_group() -> click.Group:
    from gateway.commands import commands

    return commands(lambda settings: upstreams(settings))


class _Lazy(click.Group):
    """Loads the gateway's commands when they are asked for: no other command needs what they import."""

    def __init__(self, load: Callable[[], click.Group]) -> None:
        super().__init__("gateway", help="The public address of the platform.")
        self._load = load

    def list_commands(self, ctx: click.Context) -> list[str]:
        return self._load().list_commands(ctx)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return self._load().get_command(ctx, cmd_name)


for command in (*common_commands(list(TARGETS.values())), *(c for m in TARGETS.values() for c in m.commands)):
    main.add_command(command)
main.add_command(audit_commands(list(TARGETS.values())))
main.add_command(tell_command(list(TARGETS.values())))
main.add_command(_Lazy(_gateway_group))
for command in district_commands(list(TARGETS.values())):
    districts.add_command(command)

if __name__ == "__main__":
    sys.exit(main())
