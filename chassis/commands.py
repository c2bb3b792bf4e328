"""The commands of `qyt` that are the same whatever services there are.

Every one ends with a status other than 0 and one clear line when it fails.
"""

import asyncio
import functools
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

import asyncpg
import click

from chassis import development, whereabouts
from chassis.bus import DEAD, Bus, NatsError
from chassis.faults import OperatorFault
from chassis.manifest import Manifest, subject_of
from chassis.migrations import migrate
from chassis.placement import settings_of
from chassis.process import with_servers
from chassis.settings import PREFIX, Settings, SettingsInvalid

KNOWN = (OperatorFault, asyncpg.PostgresError, asyncpg.InterfaceError, NatsError, OSError)
Result = TypeVar("Result")


def failing_clearly(command: Callable[..., Result]) -> Callable[..., Result]:
    """A fault that an operator can act on becomes one line and status 1."""

    @functools.wraps(command)
    def run(*arguments: Any, **options: Any) -> Result:
        try:
            return command(*arguments, **options)
        except KNOWN as error:
            text = str(error).strip() or type(error).__name__
            raise click.ClickException(text.splitlines()[0]) from error
        except BaseExceptionGroup as group:
            known, other = group.split(KNOWN)
            if other or known is None:
                raise
            raise click.ClickException(str(known.exceptions[0])) from group

    return run


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """Runs asynchronous work on uvloop where there is one."""
    try:
        import uvloop
    except ImportError:
        return asyncio.run(work)
    return uvloop.run(work)


def common_commands(manifests: Sequence[Manifest]) -> list[click.Command]:
    return [_migrate(manifests), _config(manifests), _token(), _events(manifests), _dead_letters()]


def _migrate(manifests: Sequence[Manifest]) -> click.Command:
    @click.command("migrate")
    @click.option("--target", multiple=True, help="only this service; may be repeated")
    @failing_clearly
    def command(target: tuple[str, ...]) -> None:
        """Bring the databases up to this release. Safe to run from several places at once."""
        if unknown := set(target) - {manifest.name for manifest in manifests}:
            raise click.BadParameter(f"no service {', '.join(sorted(unknown))}", param_hint="--target")
        run(work([manifest for manifest in manifests if not target or manifest.name in target]))

    async def work(chosen: Sequence[Manifest]) -> None:
        settings = Settings.load()
        if all(settings_of(manifest, settings).database_url is None for manifest in chosen):
            # The embedded database: starting it brings it up to date.
            async with with_servers(settings, chosen):
                click.echo("the embedded database is up to date")
            return
        for manifest in chosen:
            applied = await migrate(manifest, settings_of(manifest, settings))
            click.echo(f"{manifest.name}: {'applied ' + ', '.join(applied) if applied else 'up to date'}")

    return command


def _config(manifests: Sequence[Manifest]) -> click.Command:
    @click.command("config")
    @click.option("--changed", is_flag=True, help="only what differs from the defaults")
    @failing_clearly
    def command(changed: bool) -> None:
        """Show the effective settings; * marks those that differ from the defaults. Secrets are masked."""
        settings = Settings.load()
        differing = settings.changed()
        for name, field in Settings.model_fields.items():
            if changed and name not in differing:
                continue
            mark = "*" if name in differing else " "
            value = getattr(settings, name)
            click.echo(f"{mark} {PREFIX}{name.upper()}={'' if value is None else value}")
            if field.description and not changed:
                click.echo(f"      {field.description}")
        for manifest in manifests:
            own = Settings.load(f"{PREFIX}{manifest.name.upper()}_")
            for name, value in own.changed().items():
                click.echo(f"* {PREFIX}{manifest.name.upper()}_{name.upper()}={value}")

    return command


def _token() -> click.Command:
    @click.command("token")
    @click.option("--district", metavar="CODE", help="six digits of GB/T 2260; without it the token is municipal")
    @click.option("--role", "roles", multiple=True, required=True, help="may be repeated")
    @click.option("--subject", default="developer", show_default=True)
    @click.option("--minutes", type=click.IntRange(1, 60 * 24 * 30), default=60, show_default=True)
    @failing_clearly
    def command(district: str | None, roles: tuple[str, ...], subject: str, minutes: int) -> None:
        """Issue a token for development. Refused outside development."""
        click.echo(development.token(Settings.load(), subject, list(roles), district, minutes * 60))

    return command


def _events(manifests: Sequence[Manifest]) -> click.Command:
    @click.group("events")
    def group() -> None:
        """The events between the services."""

    @group.command("map")
    def show() -> None:
        """Show each event: its subject, who publishes it, who consumes it."""
        for manifest in manifests:
            for kind in manifest.publishes:
                consumers = [other.name for other in manifests if kind in other.consumes]
                subject = subject_of(kind.DESCRIPTOR.full_name, "<district>")
                click.echo(f"{subject}  {manifest.name} -> {', '.join(consumers) or '(outside)'}")

    return group


def _dead_letters() -> click.Command:
    @click.group("dlq")
    def group() -> None:
        """Events that a consumer could not apply."""

    @group.command("list")
    @click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True)
    @failing_clearly
    def show(limit: int) -> None:
        """List dead letters, oldest first: number, consumer, subject, kind of fault."""
        run(_with_bus(lambda bus: _list(bus, limit)))

    @group.command("replay")
    @click.argument("numbers", nargs=-1, type=int)
    @click.option("--all", "everything", is_flag=True, help="replay every dead letter")
    @failing_clearly
    def replay(numbers: tuple[int, ...], everything: bool) -> None:
        """Give dead letters back to the consumer that failed on them, and to no other."""
        if bool(numbers) == everything:
            raise click.UsageError("name the numbers to replay, or --all")
        run(_with_bus(lambda bus: _replay(bus, numbers)))

    return group


async def _with_bus(work: Callable[[Bus], Coroutine[Any, Any, None]]) -> None:
    settings = Settings.load()
    given = settings.nats_url.get_secret_value() if settings.nats_url else whereabouts.find(settings, "nats")
    if given is None:
        raise SettingsInvalid("no platform runs here; set QYT_NATS_URL to where its NATS is")
    bus = await Bus.connect(given, "qyt-dlq", settings.nats_replicas)
    try:
        await bus.ensure_streams(set())
        await work(bus)
    finally:
        await bus.close()


async def _list(bus: Bus, limit: int) -> None:
    letters = await bus.dead_letters(limit)
    for letter in letters:
        click.echo(f"{letter.number}\t{letter.consumer}\t{letter.subject}\t{letter.fault}")
    if not letters:
        click.echo(f"no dead letters in {DEAD}")


async def _replay(bus: Bus, numbers: Sequence[int]) -> None:
    chosen = numbers or [letter.number for letter in await bus.dead_letters()]
    with click.progressbar(chosen, label="replaying") as bar:
        for number in bar:
            await bus.replay(number)
    click.echo(f"replayed {len(chosen)}")
