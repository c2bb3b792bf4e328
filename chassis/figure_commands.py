"""`qyt tell`: has services tell again what they count."""

from collections.abc import Sequence

import click

from chassis import tenancy, whereabouts
from chassis.commands import failing_clearly, run
from chassis.directory import followed
from chassis.faults import OperatorFault
from chassis.figures import tell
from chassis.manifest import Manifest
from chassis.migrations import open_database
from chassis.moving.databases import connected
from chassis.placement import settings_of
from chassis.settings import Settings


def tell_command(manifests: Sequence[Manifest]) -> click.Command:
    services = {manifest.name: manifest for manifest in manifests if manifest.figures}

    @click.command("tell")
    @click.option("--district", "districts", multiple=True, metavar="CODE", help="six digits; may be repeated")
    @click.option("--target", "targets", multiple=True, type=click.Choice(list(services)), help="may be repeated")
    @failing_clearly
    def command(districts: tuple[str, ...], targets: tuple[str, ...]) -> None:
        """Have all that services count told again, as events: of all districts, or of some.

        For `qyt municipal rebuild`, when the streams no longer reach back. Needs the databases (QYT_DATABASE_URL), or a
        platform that runs on this machine; the platform sends the events when it runs.
        """
        chosen = [manifest for name, manifest in services.items() if not targets or name in targets]
        run(_tell_all(chosen, whereabouts.beside(), districts))

    return command


class DistrictUnknown(OperatorFault):
    """There is no such district."""


async def _tell_all(chosen: Sequence[Manifest], settings: Settings, districts: Sequence[str]) -> None:
    codes = await _codes(settings)
    if unknown := sorted(set(districts) - set(codes)):
        raise DistrictUnknown(f"no district {', '.join(unknown)}: `qyt districts list` shows those that there are")
    for manifest in chosen:
        count = await _tell(manifest, settings, districts or codes)
        click.echo(f"{manifest.name}: {count:,} months of {len(districts or codes)} districts")


async def _codes(settings: Settings) -> Sequence[str]:
    bus = await connected(settings)
    try:
        return (await followed(bus)).codes
    finally:
        await bus.close()


async def _tell(manifest: Manifest, settings: Settings, districts: Sequence[str]) -> int:
    assert manifest.figures  # noqa: S101 - those without were left out
    database, count = open_database(settings_of(manifest, settings), manifest.name), 0
    try:
        for district in districts:
            with tenancy.acting_for(district):
                count += await tell(database, manifest.figures, again=True)
    finally:
        await database.close()
    return count
