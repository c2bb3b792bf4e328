"""Where a platform that runs on this machine can be found by the commands beside it."""

import json
from pathlib import Path

from pydantic import SecretStr

from chassis.settings import Settings


def _note(settings: Settings) -> Path:
    return settings.state / "running.json"


def leave(settings: Settings, **places: str) -> None:
    """Leaves a note that only this user can read: an address may hold a password."""
    note = _note(settings)
    note.unlink(missing_ok=True)
    note.touch(mode=0o600)
    note.write_text(json.dumps(places))


def remove(settings: Settings) -> None:
    _note(settings).unlink(missing_ok=True)


def find(settings: Settings, place: str) -> str | None:
    """What the note says; None when no platform runs here."""
    try:
        return str(json.loads(_note(settings).read_text())[place])
    except (OSError, ValueError, KeyError):
        return None


def beside() -> Settings:
    """The settings, with the servers of the platform that runs on this machine where none are set.

    Raises SettingsInvalid.
    """
    settings = Settings.load()
    found = {name: find(settings, place) for name, place in (("database_url", "postgres"), ("nats_url", "nats"))}
    missing = {name: SecretStr(url) for name, url in found.items() if url and getattr(settings, name) is None}
    return settings.model_copy(update=missing)
