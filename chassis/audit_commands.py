"""`qyt audit`: who changed what in a district, and whether the records are as they were sealed, service by service."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import click
import grpc
from google.protobuf import json_format
from google.protobuf.message import Message

from chassis import development, whereabouts
from chassis.bus import Bus, NatsError
from chassis.commands import failing_clearly, run
from chassis.faults import OperatorFault
from chassis.manifest import Manifest
from chassis.public import with_channel
from chassis.settings import Settings
from chassis.wire import date_message, word
from quanyutong.common.v1 import audit_pb2 as pb

Metadata = list[tuple[str, str]]
# Hashes by the number of their seal. One number has one hash, unless somebody sealed anew.
Copies = Mapping[int, set[bytes]]
DAY = click.DateTime(["%Y-%m-%d"])


class AuditBroken(OperatorFault):
    """The audit is not what was sealed. The text says where it first differs."""


def audit_commands(manifests: Sequence[Manifest]) -> click.Group:
    """The group `qyt audit`, over every service that seals its audit."""
    services = {manifest.name: manifest for manifest in manifests if manifest.seals}
    group = click.Group("audit", help="The audit of a district.")
    group.add_command(_listing(services))
    group.add_command(_verification(services))
    return group


def _listing(services: Mapping[str, Manifest]) -> click.Command:
    @click.command("list")
    @click.option("--district", required=True, help="six digits")
    @click.option("--service", type=click.Choice(list(services)), default="registry", show_default=True)
    @click.option("--resource", default="", help="only this kind of entry, for example person")
    @click.option("--subject", default="", help="only what this subject did")
    @click.option("--from", "from_date", type=DAY, help="first day")
    @click.option("--to", "to_date", type=DAY, help="first day after")
    @failing_clearly
    def command(
        district: str, service: str, resource: str, subject: str, from_date: datetime | None, to_date: datetime | None
    ) -> None:
        """List records, oldest first, one JSON object a line. Needs a token of an administrator of the district."""
        request = pb.ListAuditRequest(
            resource=resource,
            subject=subject,
            from_date=date_message(_day(from_date)),
            to_date=date_message(_day(to_date)),
            page_size=500,
        )
        settings = Settings.load()
        calls = Calls(services[service], _metadata(settings, district, "administrator", district))
        run(with_channel(settings, [calls.manifest.service], lambda channel: _list(calls, channel, request)))

    return command


def _verification(services: Mapping[str, Manifest]) -> click.Command:
    @click.command("verify")
    @click.option("--district", required=True, help="six digits")
    @click.option("--service", type=click.Choice(list(services)), multiple=True, help="may be repeated; default: each")
    @click.option(
        "--days", type=click.IntRange(1), default=30, show_default=True, help="age of the copies to compare with"
    )
    @failing_clearly
    def command(district: str, service: Sequence[str], days: int) -> None:
        """Verify the seals of a district, and compare them with the copies on the bus, where it can be reached.

        Ends with a status other than 0 and names the first record that does not fit. Needs a token of an
        administrator of the district or of a municipal overseer.
        """
        for name in service or services:
            run(_verify(Settings.load(), services[name], district, days))

    return command


@dataclass(frozen=True)
class Calls:
    """The RPCs of the audit, which every service has."""

    manifest: Manifest
    metadata: Metadata

    async def ask(self, channel: grpc.aio.Channel, request: Message) -> Any:
        rpc = type(request).__name__.removesuffix("Request")
        answer = getattr(pb, f"{rpc}Response")
        call = channel.unary_unary(
            f"/{self.manifest.service.full_name}/{rpc}",
            request_serializer=type(request).SerializeToString,
            response_deserializer=answer.FromString,
        )
        return await call(request, metadata=self.metadata)


def _day(given: datetime | None) -> date | None:
    return given.date() if given else None


def _metadata(settings: Settings, picked: str, role: str, of: str | None) -> Metadata:
    given = settings.token.get_secret_value() if settings.token else None
    token = given or development.token(settings, "qyt-audit", [role], of)
    return [("authorization", f"Bearer {token}"), ("x-district", picked)]


async def _list(calls: Calls, channel: grpc.aio.Channel, request: pb.ListAuditRequest) -> None:
    while True:
        answer = await calls.ask(channel, request)
        for record in answer.audit_records:
            click.echo(json.dumps(json_format.MessageToDict(record), ensure_ascii=False))
        if not answer.next_page_token:
            return
        request.page_token = answer.next_page_token


async def _verify(settings: Settings, manifest: Manifest, district: str, days: int) -> None:
    # The copies first: a seal that is made meanwhile is then one that has no copy yet, and not one that is missing.
    copies = await _copies(settings, manifest, district, days)
    verification = Verification(Calls(manifest, _metadata(settings, district, "overseer", None)), district, copies)
    await with_channel(settings, [manifest.service], verification.run)


async def _copies(settings: Settings, manifest: Manifest, district: str, days: int) -> Copies:
    """The heads that were told on the bus. Without the bus there is nothing to compare with, which is said."""
    try:
        return await _from_bus(settings, manifest, district, days)
    except (OperatorFault, NatsError, OSError) as error:
        click.echo(f"not compared with the bus: {str(error) or type(error).__name__}", err=True)
        return {}


async def _from_bus(settings: Settings, manifest: Manifest, district: str, days: int) -> Copies:
    url = settings.nats_url.get_secret_value() if settings.nats_url else whereabouts.find(settings, "nats")
    if url is None:
        raise OperatorFault("no platform runs here; set QYT_NATS_URL to where its NATS is")
    assert manifest.seals is not None  # noqa: S101 - only such a service has these commands
    bus = await Bus.connect(url, "qyt-audit", settings.nats_replicas)
    try:
        since = datetime.now(UTC) - timedelta(days=days)
        kept = await bus.kept(manifest.seals.DESCRIPTOR.full_name, district, since)
    finally:
        await bus.close()
    copies: dict[int, set[bytes]] = defaultdict(set)
    for told in kept:
        head: Any = manifest.seals.FromString(told)
        copies[head.number].add(head.hash)
    return copies


@dataclass
class Verification:
    """One verification, step by step, of a service's chain of a district."""

    calls: Calls
    district: str
    copies: Copies
    seals: int = 0
    records: int = 0

    @property
    def where(self) -> str:
        return f"{self.calls.manifest.name} of district {self.district}"

    async def run(self, channel: grpc.aio.Channel) -> None:
        """Raises AuditBroken."""
        while True:
            answer = await self.calls.ask(channel, pb.VerifyAuditRequest(after=self.seals))
            for seal in answer.seals:
                self._compare(seal)
            if answer.HasField("fault"):
                raise AuditBroken(f"{self.where}: {_said(answer.fault)}")
            if not answer.more:
                return self._conclude(answer.unsealed)
            click.echo(f"{self.seals} seals with {self.records} records fit so far", err=True)

    def _compare(self, seal: pb.AuditSeal) -> None:
        if self.copies.get(seal.number, {seal.hash}) != {seal.hash}:
            raise AuditBroken(
                f"{self.where}: seal {seal.number}, from {seal.first_record} on, is not the one that was "
                "told on the bus when it was made"
            )
        self.seals, self.records = seal.number, self.records + seal.records

    def _conclude(self, unsealed: Any) -> None:
        if missing := [number for number in self.copies if number > self.seals]:
            raise AuditBroken(f"{self.where}: seal {min(missing)} and its records are gone: it was told on the bus")
        click.echo(
            f"{self.where}: {self.seals} seals with {self.records} records fit, {len(self.copies)} of them "
            f"compared with their copies on the bus; {unsealed} records are not sealed yet"
        )


def _said(fault: pb.AuditFault) -> str:
    what = word(pb.AuditFaultKind, fault.kind).replace("_", " ")
    return f"seal {fault.seal}: {what}: {fault.record}" if fault.record else f"seal {fault.seal}: {what}"
