"""`qyt districts export`, `import`, `erase` and what belongs to them."""

from collections.abc import Sequence
from pathlib import Path

import click

from chassis import whereabouts
from chassis.commands import failing_clearly, run
from chassis.manifest import Manifest
from chassis.moving.archive import Archive
from chassis.moving.databases import check_stopped
from chassis.moving.erasing import Record, erase, erasures
from chassis.moving.exporting import export
from chassis.moving.importing import import_
from chassis.moving.settling import settle
from chassis.settings import Settings
from chassis.vault import Vault

FILE = click.Path(dir_okay=False, path_type=Path)
THERE = click.Path(exists=True, dir_okay=False, path_type=Path)


def district_commands(manifests: Sequence[Manifest]) -> list[click.Command]:
    """What adds up all districts stays where it is: it has nothing that is a district's own."""
    own = [manifest for manifest in manifests if not manifest.of_all_districts]
    return [_export(own), _import(own), _move(own), _erase(own), _erasures(own)]


def _told(line: str) -> None:
    click.echo(line, err=True)


def _export(manifests: Sequence[Manifest]) -> click.Command:
    @click.command("export")
    @click.argument("code")
    @click.option("--output", type=FILE, required=True, help="the archive, a .zip that is not there yet")
    @click.option("--settled", is_flag=True, help="of a suspended district, when nothing is under way any more")
    @failing_clearly
    def command(code: str, output: Path, settled: bool) -> None:
        """Write all that the services hold of a district into an archive, and print its fingerprint.

        Needs the databases (QYT_DATABASE_URL). The archive holds personal information.
        """
        click.echo(run(work(code, output, settled)))

    async def work(code: str, output: Path, settled: bool) -> str:
        settings = whereabouts.beside()
        if settled:
            await check_stopped(settings, code)
            await settle(manifests, settings, code)
        return await export(manifests, settings, code, output, _told)

    return command


def _import(manifests: Sequence[Manifest]) -> click.Command:
    @click.command("import")
    @click.argument("file", type=THERE)
    @failing_clearly
    def command(file: Path) -> None:
        """Bring a district in from an archive, to where the settings place it. It is suspended afterwards."""
        click.echo(run(_bring(manifests, whereabouts.beside(), file)))

    return command


def _move(manifests: Sequence[Manifest]) -> click.Command:
    @click.command("move")
    @click.argument("code")
    @click.option(
        "--archive", type=FILE, required=True, help="where to keep what is moved, a .zip that is not there yet"
    )
    @failing_clearly
    def command(code: str, archive: Path) -> None:
        """Copy a suspended district from the pool into the silo that QYT_SILOS gives it."""
        run(move(code, archive))
        click.echo(
            f"copied. Now: start every process again with this QYT_SILOS; `qyt districts erase {code} --left-in-pool "
            f"--archive {archive}`; `qyt districts resume {code}`"
        )

    async def move(code: str, archive: Path) -> None:
        settings = whereabouts.beside()
        await check_stopped(settings, code)
        await settle(manifests, settings, code, in_pool=True)
        await export(manifests, settings, code, archive, _told, in_pool=True)
        await _bring(manifests, settings, archive)

    return command


async def _bring(manifests: Sequence[Manifest], settings: Settings, file: Path) -> str:
    with Archive.reading(file) as archive:
        await check_stopped(settings, archive.district)
        await import_(manifests, settings, archive, _told)
        return archive.fingerprint


def _erase(manifests: Sequence[Manifest]) -> click.Command:
    @click.command("erase")
    @click.argument("code")
    @click.option("--yes-erase", "again", metavar="CODE", required=True, help="the code again: this cannot be undone")
    @click.option("--by", required=True, help="who answers for it; kept in the record")
    @click.option(
        "--archive", type=THERE, help="erase only what this archive has; its fingerprint is kept in the record"
    )
    @click.option("--left-in-pool", is_flag=True, help="what a move into a silo has left in the pool")
    @failing_clearly
    def command(code: str, again: str, by: str, archive: Path | None, left_in_pool: bool) -> None:
        """Erase all rows of a suspended district, and keep a sealed record of it."""
        if again != code:
            raise click.BadParameter(f"it is not {code}", param_hint="--yes-erase")
        _show(run(work(code, by, archive, left_in_pool)), genuine=True)

    async def work(code: str, by: str, file: Path | None, in_pool: bool) -> Record:
        settings = whereabouts.beside()
        await check_stopped(settings, code)
        await settle(manifests, settings, code, in_pool=in_pool, sealed=False)
        if file is None:
            return await erase(manifests, settings, code, by, _told, None, in_pool)
        with Archive.reading(file) as archive:
            if archive.district != code:
                raise click.BadParameter(f"it is the archive of {archive.district}", param_hint="--archive")
            return await erase(manifests, settings, code, by, _told, archive, in_pool)

    return command


def _erasures(manifests: Sequence[Manifest]) -> click.Command:
    @click.command("erasures")
    @click.argument("code", default="")
    @failing_clearly
    def command(code: str) -> None:
        """Show the records of erasures, and whether each is as it was written."""
        settings = whereabouts.beside()
        vault = Vault.of(settings)
        verdicts = [(record, record.genuine(vault)) for record in run(erasures(manifests, settings, code))]
        for record, genuine in verdicts:
            _show(record, genuine)
        if not all(genuine for _, genuine in verdicts):
            raise click.ClickException("a record was changed after it was written")

    return command


def _show(record: Record, genuine: bool) -> None:
    click.echo(f"{'genuine' if genuine else 'CHANGED'}\t{record.key}\t{record.seal.hex()}\t{record.text}")
