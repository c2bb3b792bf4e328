"""Which database a district is in: what the settings say, and what they must not."""

import json
from pathlib import Path

import pytest
from pydantic import SecretStr

from chassis.placement import place_of, places
from chassis.settings import Settings, SettingsInvalid

POOL = "postgresql://admin:secret@pool/quanyutong"
SILO = "postgresql://admin:hidden@silo/quanyutong"


def having(silos: str | None) -> Settings:
    return Settings(database_url=SecretStr(POOL), silos=SecretStr(silos) if silos else None)


def urls(settings: Settings) -> list[str | None]:
    names = ("database_url", "runtime_database_url", "relay_database_url")
    return [value and value.get_secret_value() for value in (getattr(settings, name) for name in names)]


def test_without_silos_there_is_the_pool_alone() -> None:
    (pool,) = places(having(None))
    assert (urls(pool.settings), pool.districts) == ([POOL, None, None], ())


def test_districts_have_silos_and_may_share_one() -> None:
    named = {"runtime_database_url": "postgresql://r@db/x", "relay_database_url": "postgresql://l@db/x"}
    settings = having(json.dumps({"500103": SILO, "500102": SILO, "500104": named}))
    pool, shared, own = places(settings)
    assert (urls(pool.settings), pool.districts) == ([POOL, None, None], ())
    assert (urls(shared.settings), shared.districts) == ([SILO, None, None], ("500102", "500103"))
    # Not the pool's: a role's URL that is missing is never taken from another database.
    assert urls(own.settings) == [None, *named.values()]
    assert place_of(settings, "500104") == own
    assert place_of(settings, "500101") == pool


def test_silos_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "silos.json"
    file.write_text(json.dumps({"500102": SILO}))
    assert urls(place_of(having(str(file)), "500102").settings) == [SILO, None, None]


def test_the_addresses_are_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QYT_REGISTRY_SILOS", json.dumps({"500102": SILO}))
    settings = Settings.load().for_service("registry")
    assert [place.districts for place in places(settings)] == [(), ("500102",)]
    assert "hidden" not in f"{settings!r} {settings.silos}"


@pytest.mark.parametrize(
    "given",
    [
        "{",
        "/nowhere/silos.json",
        '{"50010": "postgresql://admin:hidden@silo/x"}',
        '{"５００１０２": "postgresql://admin:hidden@silo/x"}',
        '{"500102": "hidden"}',
        '{"500102": {}}',
        '{"500102": {"database": "postgresql://admin:hidden@silo/x"}}',
        '{"500102": {"database_url": 7}}',
        '{"500102": null}',
        json.dumps({"500102": POOL}),
    ],
)
def test_what_cannot_be_is_refused_without_showing_it(given: str) -> None:
    with pytest.raises(SettingsInvalid, match="QYT_SILOS") as refused:
        places(having(given))
    assert "hidden" not in str(refused.value)
