"""`qyt districts`: the directory of districts, through the public API; and the group `qyt registry`."""

from collections.abc import Callable, Coroutine
from typing import Any
from uuid import uuid4

import click
from google.protobuf import field_mask_pb2

from chassis import development
from chassis.commands import failing_clearly, run
from chassis.public import with_channel
from chassis.settings import Settings
from quanyutong.registry.v1 import districts_pb2 as pb
from quanyutong.registry.v1 import registry_pb2
from quanyutong.registry.v1.registry_pb2_grpc import RegistryServiceStub
from services.registry.import_commands import import_, template

SERVICE = registry_pb2.DESCRIPTOR.services_by_name["RegistryService"]
Work = Callable[[RegistryServiceStub, list[tuple[str, str]]], Coroutine[Any, Any, None]]


@click.group()
def districts() -> None:
    """The districts of the city.

    To change their directory takes a municipal token with the role operator (QYT_TOKEN); to handle a district as a
    whole, the databases.
    """


@districts.command("list")
@failing_clearly
def list_() -> None:
    """List the districts: code, name, state, limits (0: the platform's default)."""
    _call(_list)


@districts.command()
@click.argument("code")
@click.option("--reason", required=True, help="kept with the entry, for municipal callers")
@failing_clearly
def suspend(code: str, reason: str) -> None:
    """Stop a district's calls. Its records stay as they are."""
    request = pb.SuspendDistrictRequest(name=_name(code), reason=reason, request_id=str(uuid4()))
    _call(lambda stub, metadata: _show(stub.SuspendDistrict(request, metadata=metadata)))


@districts.command()
@click.argument("code")
@failing_clearly
def resume(code: str) -> None:
    """Let a suspended district call again."""
    request = pb.ResumeDistrictRequest(name=_name(code), request_id=str(uuid4()))
    _call(lambda stub, metadata: _show(stub.ResumeDistrict(request, metadata=metadata)))


@districts.command()
@click.argument("code")
@click.option("--calls-per-second", type=click.IntRange(0), help="through each gateway; 0: the platform's default")
@click.option("--calls-in-flight", type=click.IntRange(0), help="in each service process; 0: the platform's default")
@failing_clearly
def limits(code: str, **given: int | None) -> None:
    """Change a district's limits; they hold within a second."""
    values = {name: value for name, value in given.items() if value is not None}
    if not values:
        raise click.UsageError("name at least one limit to change")
    request = pb.UpdateDistrictRequest(
        # The name is not changed, but the field rules want an entry to have one.
        district=pb.District(name=_name(code), display_name=code, **values),  # type: ignore[arg-type]
        update_mask=field_mask_pb2.FieldMask(paths=list(values)),
        request_id=str(uuid4()),
    )
    _call(lambda stub, metadata: _show(stub.UpdateDistrict(request, metadata=metadata)))


@districts.command()
@click.argument("code")
@click.argument("display_name")
@failing_clearly
def create(code: str, display_name: str) -> None:
    """Add a district, for example a new area."""
    district = pb.District(name=_name(code), display_name=display_name)
    request = pb.CreateDistrictRequest(district=district, request_id=str(uuid4()))
    _call(lambda stub, metadata: _show(stub.CreateDistrict(request, metadata=metadata)))


@click.group()
def registry() -> None:
    """The register of a district."""


for command in (import_, template):
    registry.add_command(command)


def _name(code: str) -> str:
    return f"districts/{code}"


async def _list(stub: RegistryServiceStub, metadata: list[tuple[str, str]]) -> None:
    token = ""
    while True:
        answer = await stub.ListDistricts(pb.ListDistrictsRequest(page_token=token), metadata=metadata)
        for district in answer.districts:
            _print(district)
        if not (token := answer.next_page_token):
            return


async def _show(call: Any) -> None:
    _print(await call)


def _print(district: pb.District) -> None:
    state = f"suspended: {district.suspension_reason}" if district.suspended else "active"
    limits = f"{district.calls_per_second}/s {district.calls_in_flight} in flight"
    click.echo(f"{district.name.removeprefix('districts/')}\t{district.display_name}\t{state}\t{limits}")


def _call(work: Work) -> None:
    settings = Settings.load()
    token = settings.token.get_secret_value() if settings.token else None
    token = token or development.token(settings, "qyt-districts", ["operator"])
    run(with_stub(settings, work, [("authorization", f"Bearer {token}")]))


async def with_stub(settings: Settings, work: Work, metadata: list[tuple[str, str]]) -> None:
    """Does work with the registry behind the gateway. Raises SettingsInvalid when there is none to be found."""
    await with_channel(settings, [SERVICE], lambda channel: work(RegistryServiceStub(channel), metadata))
