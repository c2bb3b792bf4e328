"""Which database a district is in: the pool, which the districts share, or a silo of its own.

The settings say so, and nothing else does: a district without a silo is in the
pool. A silo holds the whole schema of each service and is migrated like the pool.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from chassis.manifest import Manifest
from chassis.settings import Settings, SettingsInvalid

URLS = ("database_url", "runtime_database_url", "relay_database_url")
WRONG = 'QYT_SILOS: a file, or JSON such as {"500102": "postgresql://…"}, or its three URLs in place of the one: '


@dataclass(frozen=True)
class Place:
    """A database: the settings that reach it, and the districts that have it to themselves; none in the pool."""

    settings: Settings
    districts: tuple[str, ...] = ()


def settings_of(manifest: Manifest, settings: Settings) -> Settings:
    """The settings of a service. Raises SettingsInvalid. One that adds up all districts has none of them apart."""
    own = settings.for_service(manifest.name)
    return own.model_copy(update={"silos": None}) if manifest.of_all_districts else own


def places(settings: Settings) -> list[Place]:
    """The pool, then each silo. Raises SettingsInvalid."""
    found: dict[tuple[str | None, ...], list[str]] = {}
    for district, urls in _silos(settings).items():
        found.setdefault(tuple(urls.get(name) for name in URLS), []).append(district)
    if _urls(settings) in found:
        raise SettingsInvalid("QYT_SILOS: a silo is the database that the others share")
    silos = [Place(_reaching(settings, urls), tuple(sorted(districts))) for urls, districts in found.items()]
    return [Place(settings), *silos]


def place_of(settings: Settings, district: str) -> Place:
    """Where the district's rows are. Raises SettingsInvalid."""
    pool, *silos = places(settings)
    return next((silo for silo in silos if district in silo.districts), pool)


def _silos(settings: Settings) -> Mapping[str, Mapping[str, str]]:
    if settings.silos is None:
        return {}
    given = settings.silos.get_secret_value()
    try:
        text = given if given.lstrip().startswith("{") else Path(given).read_text(encoding="utf-8")
        silos = json.loads(text)
    except OSError as error:
        raise SettingsInvalid(f"{WRONG}the file cannot be read ({error.strerror})") from None
    except ValueError:
        raise SettingsInvalid(f"{WRONG}this is not JSON") from None
    if not isinstance(silos, dict):
        raise SettingsInvalid(f"{WRONG}this is no object")
    return {district: _of(district, urls) for district, urls in silos.items()}


def _of(district: str, urls: Any) -> Mapping[str, str]:
    """The URLs of one silo. What is wrong is said without them: they hold passwords."""
    if not (len(district) == 6 and district.isascii() and district.isdigit()):
        raise SettingsInvalid(f"{WRONG}{district!r} is not a district's code")
    named = {"database_url": urls} if isinstance(urls, str) else urls
    known = isinstance(named, dict) and named and named.keys() <= set(URLS)
    if not known or not all(isinstance(url, str) and "://" in url for url in named.values()):
        raise SettingsInvalid(f"{WRONG}{district} has no URL, or other keys than {', '.join(URLS)}")
    return dict(named)


def _urls(settings: Settings) -> tuple[str | None, ...]:
    secrets = (getattr(settings, name) for name in URLS)
    return tuple(secret and secret.get_secret_value() for secret in secrets)


def _reaching(settings: Settings, urls: tuple[str | None, ...]) -> Settings:
    return settings.model_copy(update={name: url and SecretStr(url) for name, url in zip(URLS, urls, strict=True)})
