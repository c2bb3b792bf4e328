"""TLS at the public address, and the certificates that clients show."""

import ssl
from collections.abc import Callable
from pathlib import Path

from chassis.settings import Settings
from gateway.configuration import GatewayConfigInvalid, Json, typed

# Where Envoy finds a thing by its name.
Place = Callable[[str], Json]
TYPE = "envoy.extensions.transport_sockets.tls.v3.Secret"
CERTIFICATE = "certificate"
CLIENT_AUTHORITIES = "client-authorities"


def enabled(settings: Settings) -> bool:
    """Whether the public address speaks TLS. Raises GatewayConfigInvalid when the settings are half of it."""
    certificate, key = settings.gateway_certificate, settings.gateway_key
    if (certificate is None) != (key is None):
        raise GatewayConfigInvalid("QYT_GATEWAY_CERTIFICATE and QYT_GATEWAY_KEY belong together: set both or neither")
    if settings.gateway_client_ca is not None and certificate is None:
        raise GatewayConfigInvalid("QYT_GATEWAY_CLIENT_CA needs QYT_GATEWAY_CERTIFICATE and QYT_GATEWAY_KEY")
    return certificate is not None


def files(settings: Settings) -> list[Path]:
    """The files whose change makes new secrets."""
    paths = (settings.gateway_certificate, settings.gateway_key, settings.gateway_client_ca)
    return [path for path in paths if path is not None]


def secrets(settings: Settings, *, inline: bool) -> list[Json]:
    """Envoy's secrets. Raises GatewayConfigInvalid for a file that cannot be read.

    `inline` puts the files' content in, so that certificate and key change
    together and any way of replacing the files is noticed; without it only their
    paths are given, and Envoy sees them change when they are moved into place.
    """
    certificate, key, authorities = settings.gateway_certificate, settings.gateway_key, settings.gateway_client_ca
    made: list[Json] = []
    if certificate is not None and key is not None:
        pair = {
            "certificate_chain": _source(certificate, "QYT_GATEWAY_CERTIFICATE", inline=inline),
            "private_key": _source(key, "QYT_GATEWAY_KEY", inline=inline),
        }
        made.append({"name": CERTIFICATE, "tls_certificate": pair})
    if authorities is not None:
        trusted = {"trusted_ca": _source(authorities, "QYT_GATEWAY_CLIENT_CA", inline=inline)}
        made.append({"name": CLIENT_AUTHORITIES, "validation_context": trusted})
    return made


def transport_socket(settings: Settings, place: Place | None) -> Json:
    """The TLS of the listener. `place` says where a secret is found, None if they are in Envoy's bootstrap."""

    def secret(name: str) -> Json:
        return {"name": name, "sds_config": place(name)} if place else {"name": name}

    common: Json = {
        "alpn_protocols": ["h2", "http/1.1"],
        "tls_params": {"tls_minimum_protocol_version": "TLSv1_2"},
        "tls_certificate_sds_secret_configs": [secret(CERTIFICATE)],
    }
    if settings.gateway_client_ca is not None:
        common["validation_context_sds_secret_config"] = secret(CLIENT_AUTHORITIES)
    context = typed(
        "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
        common_tls_context=common,
        require_client_certificate=settings.gateway_client_ca is not None,
    )
    return {"name": "envoy.transport_sockets.tls", "typed_config": context}


def to_peer(host: str) -> Json:
    """TLS towards another server, verified by its name against the authorities of this machine."""
    authorities = ssl.get_default_verify_paths().cafile
    trusted: Json = {"trusted_ca": {"filename": authorities}} if authorities else {"system_root_certs": {}}
    trusted["match_typed_subject_alt_names"] = [{"san_type": "DNS", "matcher": {"exact": host}}]
    context = typed(
        "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
        sni=host,
        common_tls_context={"validation_context": trusted},
    )
    return {"name": "envoy.transport_sockets.tls", "typed_config": context}


def _source(path: Path, setting: str, *, inline: bool) -> Json:
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise GatewayConfigInvalid(f"{setting}: {path} cannot be read: {error}") from None
    return {"inline_string": text} if inline else {"filename": str(path.absolute())}
