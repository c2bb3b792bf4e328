"""`qyt municipal`: the read model of the city."""

import click
from sqlalchemy import text

from chassis import whereabouts
from chassis.bus import Bus
from chassis.commands import failing_clearly, run
from chassis.database import Database
from chassis.migrations import open_database
from chassis.settings import Settings, SettingsInvalid
from chassis.sql import Sql
from services.municipal.rebuilding import Outcome, latest, rebuild

STATUS = Sql(
    text("""SELECT s.service, count(DISTINCT s.district) AS districts, count(*) AS months, max(s.month) AS latest,
                   max(s.told_at) AS told_at,
                   (SELECT count(*) FROM cell c WHERE c.service = s.service) AS figures
            FROM sheet s GROUP BY s.service ORDER BY s.service""")
)


@click.group()
def municipal() -> None:
    """What all districts come to."""


@municipal.command("rebuild")
@failing_clearly
def rebuild_command() -> None:
    """Make the city's figures anew from what the event streams have kept.

    The figures stay readable meanwhile, and the platform may run. Safe to break off and to repeat. Needs the databases
    (QYT_DATABASE_URL) and NATS (QYT_NATS_URL), or a platform that runs on this machine. Where a stream no longer has
    the telling of some month, that month stays as it is; `qyt tell` has all of them told again.
    """
    outcome = run(_rebuild(whereabouts.beside()))
    click.echo(f"{outcome.same:,} months were as told, {outcome.mended:,} were not and are now.")
    if outcome.older:
        click.echo(
            f"{outcome.older:,} months were told so long ago that no stream has it, and stay as they are: "
            "`qyt tell` has all districts told again, then repeat this.",
            err=True,
        )


async def _rebuild(settings: Settings) -> Outcome:
    if settings.nats_url is None:
        raise SettingsInvalid("QYT_NATS_URL is needed, or a platform that runs on this machine")
    bus = await Bus.connect(settings.nats_url.get_secret_value(), "qyt-municipal-rebuild", settings.nats_replicas)
    database = _database(settings)
    read = 0

    def told(events: int) -> None:
        nonlocal read
        read += events
        click.echo(f"\r{read:,} events read", nl=False, err=True)

    try:
        tellings = await latest(bus, told)
        click.echo("", err=True)
        return await rebuild(database, tellings)
    finally:
        await database.close()
        await bus.close()


@municipal.command("status")
@failing_clearly
def status_command() -> None:
    """Show up to when each service has told of how many districts and months."""
    run(_status(whereabouts.beside()))


async def _status(settings: Settings) -> None:
    database = _database(settings)
    try:
        async with database.read_city() as tx:
            rows = await tx.all(STATUS)
    finally:
        await database.close()
    if not rows:
        click.echo("nothing was told yet")
    for row in rows:
        click.echo(
            f"{row.service:<10}{row.districts:>6} districts{row.months:>8,} months to {row.latest:%Y-%m}"
            f"{row.figures:>10,} figures, told {row.told_at:%Y-%m-%d %H:%M:%S} UTC"
        )


def _database(settings: Settings) -> Database:
    own = settings.for_service("municipal")
    return open_database(own.model_copy(update={"silos": None}), "municipal")
