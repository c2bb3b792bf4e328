"""Settings: what the environment says, for all and for one service, and what it must not say."""

from pathlib import Path

import pytest

from chassis.settings import Settings, SettingsInvalid


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("QYT_STATE", "QYT_DATABASE_URL", "QYT_NATS_URL"):
        monkeypatch.delenv(name, raising=False)


def test_one_service_has_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QYT_DATABASE_POOL", "8")
    monkeypatch.setenv("QYT_LOG_LEVEL", "error")
    monkeypatch.setenv("QYT_REGISTRY_DATABASE_POOL", "4")
    monkeypatch.setenv("QYT_REGISTRY_DATABASE_URL", "postgresql://own")
    settings = Settings.load()
    registry = settings.for_service("registry")
    assert (settings.database_pool, settings.database_url) == (8, None)
    assert (registry.database_pool, registry.log_level) == (4, "error")
    assert registry.database_url is not None
    assert registry.database_url.get_secret_value() == "postgresql://own"
    assert settings.for_service("ballots") == settings


@pytest.mark.parametrize("name", ["QYT_DATABSE_URL", "QYT_BALLOTS_LISTEN", "QYT_REGISTRY_", "QYT_"])
def test_variable_of_no_setting_is_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "1")
    with pytest.raises(SettingsInvalid, match=name):
        Settings.refuse_unknown(("registry",))


def test_variables_of_settings_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    for field in Settings.model_fields:
        for prefix in ("QYT_", "QYT_REGISTRY_"):
            monkeypatch.setenv(prefix + field.upper(), "1")
    Settings.refuse_unknown(("registry",))


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("DATABASE_POOL", "0"),
        ("DATABASE_POOL", "many"),
        ("ENVIRONMENT", "staging"),
        ("LOG_LEVEL", "LOUD"),
        ("STATEMENT_TIMEOUT", "-1"),
        ("TRACE_SHARE", "1.1"),
        ("REFLECTION", "perhaps"),
    ],
)
@pytest.mark.parametrize("prefix", ["QYT_", "QYT_REGISTRY_"])
def test_value_that_cannot_be_is_refused(monkeypatch: pytest.MonkeyPatch, prefix: str, name: str, given: str) -> None:
    monkeypatch.setenv(prefix + name, given)
    with pytest.raises(SettingsInvalid) as refused:
        Settings.load().for_service("registry")
    assert str(refused.value).startswith(f"{prefix}{name}: ")
    assert "\n" not in str(refused.value)


def test_every_fault_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QYT_DATABASE_POOL", "0")
    monkeypatch.setenv("QYT_TRACE_SHARE", "2")
    with pytest.raises(SettingsInvalid, match=r"QYT_DATABASE_POOL.*; QYT_TRACE_SHARE"):
        Settings.load()


def test_secrets_are_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "RUNTIME_DATABASE_URL", "RELAY_DATABASE_URL", "NATS_URL", "TOKEN"):
        monkeypatch.setenv(f"QYT_{name}", "scheme://user:hush@host")
    settings = Settings.load()
    assert "hush" not in f"{settings!r} {settings} {settings.changed()}"


def test_what_differs_from_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QYT_DATABASE_POOL", "8")
    monkeypatch.setenv("QYT_LOG_LEVEL", "info")
    assert Settings.load().changed() == {"database_pool": 8}


def test_state_does_not_move_with_the_working_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    settings = Settings.load()
    monkeypatch.chdir("/")
    assert settings.state == tmp_path / ".qyt"
