"""The public door, as the commands of `qyt` use it."""

from collections.abc import Awaitable, Callable, Iterable
from urllib.parse import urlsplit

import click
import grpc
from google.protobuf.descriptor import ServiceDescriptor

from chassis import client, whereabouts
from chassis.settings import Settings, SettingsInvalid


async def with_channel(
    settings: Settings, services: Iterable[ServiceDescriptor], work: Callable[[grpc.aio.Channel], Awaitable[None]]
) -> None:
    """Does work with services behind the gateway. Raises SettingsInvalid when there is none to be found."""
    gateway = settings.gateway_url or whereabouts.find(settings, "gateway")
    if gateway is None:
        raise SettingsInvalid("no platform runs here; set QYT_GATEWAY_URL to where its gateway is")
    url = urlsplit(gateway)
    secure = grpc.ssl_channel_credentials() if url.scheme == "https" else None
    async with client.channel(url.netloc, services, secure) as channel:
        try:
            await work(channel)
        except grpc.aio.AioRpcError as error:
            raise click.ClickException(f"{error.code().name}: {error.details()}") from None
