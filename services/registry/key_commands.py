"""`qyt keys`: the keys of the districts, through the public API."""

from collections.abc import Sequence
from uuid import uuid4

import click

from chassis import development
from chassis.commands import failing_clearly, run
from chassis.settings import Settings
from quanyutong.registry.v1 import districts_pb2
from quanyutong.registry.v1 import secrets_pb2 as pb
from quanyutong.registry.v1.registry_pb2_grpc import RegistryServiceStub
from services.registry.commands import with_stub

Metadata = list[tuple[str, str]]


@click.group()
def keys() -> None:
    """The keys of the districts. Needs a municipal token with the role operator (QYT_TOKEN)."""


@keys.command()
@click.option("--district", default="", help="six digits")
@click.option("--all", "every", is_flag=True, help="every district, one after the other")
@click.option("--resume", is_flag=True, help="finish what was interrupted, without another new key")
@failing_clearly
def rotate(district: str, every: bool, resume: bool) -> None:
    """Give districts a new data key, wrapped by the current master key, and encrypt anew what the old one had.

    Calls go on meanwhile. It may be interrupted, and repeated.
    """
    if bool(district) == every:
        raise click.UsageError("name one district with --district, or --all")
    settings = Settings.load()
    given = settings.token.get_secret_value() if settings.token else None
    token = given or development.token(settings, "qyt-keys", ["operator"])
    metadata = [("authorization", f"Bearer {token}")]

    async def work(stub: RegistryServiceStub, metadata: Metadata) -> None:
        for name in [f"districts/{district}"] if district else await _districts(stub, metadata):
            await _rotate(stub, metadata, name, resume)

    run(with_stub(settings, work, metadata))


async def _districts(stub: RegistryServiceStub, metadata: Metadata) -> Sequence[str]:
    names: list[str] = []
    request = districts_pb2.ListDistrictsRequest(page_size=500)
    while True:
        answer = await stub.ListDistricts(request, metadata=metadata)
        names += (entry.name for entry in answer.districts)
        if not answer.next_page_token:
            return names
        request.page_token = answer.next_page_token


async def _rotate(stub: RegistryServiceStub, metadata: Metadata, name: str, resume: bool) -> None:
    while True:
        request = pb.RotateDistrictKeysRequest(name=name, resume=resume, request_id=str(uuid4()))
        answer = await stub.RotateDistrictKeys(request, metadata=metadata)
        click.echo(
            f"{name.removeprefix('districts/')}\tversion {answer.version}\t"
            f"{answer.encrypted} encrypted anew, {answer.remaining} to go"
        )
        if not answer.remaining:
            return
        resume = True
