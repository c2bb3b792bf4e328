"""Where the gateway finds the keys that sign tokens: a JWKS (RFC 7517) in a file or behind an https URL."""

from pathlib import Path

from gateway.configuration import GatewayConfigInvalid


def at(location: str) -> str:
    """The key set in the file, or the URL as it is: Envoy fetches that itself. Raises GatewayConfigInvalid."""
    if location.startswith("https://"):
        return location
    try:
        return Path(location).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise GatewayConfigInvalid(f"QYT_JWKS: {location} cannot be read: {error}") from None


def files(location: str) -> list[Path]:
    """The files whose change makes another key set."""
    return [] if location.startswith("https://") else [Path(location)]
