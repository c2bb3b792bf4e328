"""The master keys: which is used, what they give, and what they refuse."""

import base64
import os
from pathlib import Path

import pytest
from pydantic import SecretStr

from chassis.settings import Settings, SettingsInvalid
from chassis.vault import MasterKeyMissing, Vault, key_id

OLD, NEW, SECRET = os.urandom(32), os.urandom(32), os.urandom(32)


def test_wrapped_key_comes_back() -> None:
    vault = Vault([NEW])
    wrapped = vault.wrap("persons", "500101", SECRET)
    assert SECRET not in wrapped
    assert wrapped != vault.wrap("persons", "500101", SECRET)
    assert vault.unwrap("persons", "500101", wrapped) == SECRET


@pytest.mark.parametrize(("purpose", "district"), [("persons", "500102"), ("ballots", "500101")])
def test_wrapped_key_is_of_one_purpose_and_district(purpose: str, district: str) -> None:
    vault = Vault([NEW])
    with pytest.raises(ValueError, match="another district"):
        vault.unwrap(purpose, district, vault.wrap("persons", "500101", SECRET))
    assert vault.derive(purpose, district) != vault.derive("persons", "500101")


def test_changed_key_is_noticed() -> None:
    vault = Vault([NEW])
    wrapped = bytearray(vault.wrap("persons", "500101", SECRET))
    wrapped[-1] ^= 1
    with pytest.raises(ValueError, match="changed"):
        vault.unwrap("persons", "500101", bytes(wrapped))


def test_replaced_master_key_still_opens_what_it_closed() -> None:
    wrapped = Vault([OLD]).wrap("persons", "500101", SECRET)
    assert Vault([NEW, OLD]).unwrap("persons", "500101", wrapped) == SECRET
    assert Vault([NEW, OLD]).current == key_id(NEW)
    assert Vault([NEW, OLD]).derive("seal", "500101", key_id(OLD)) == Vault([OLD]).derive("seal", "500101")
    with pytest.raises(MasterKeyMissing, match=key_id(OLD)):
        Vault([NEW]).unwrap("persons", "500101", wrapped)


def test_keys_of_the_settings(tmp_path: Path) -> None:
    text = ", ".join(base64.b64encode(key).decode() for key in (NEW, OLD))
    assert Vault.of(Settings(state=tmp_path, master_keys=SecretStr(text))).current == key_id(NEW)
    own = Settings(state=tmp_path)
    assert Vault.of(own).current == Vault.of(own).current
    assert (tmp_path / "keys" / "master").stat().st_mode & 0o077 == 0
    with pytest.raises(SettingsInvalid, match="QYT_MASTER_KEYS"):
        Vault.of(Settings(state=tmp_path, environment="production"))


@pytest.mark.parametrize("text", ["", "secret", base64.b64encode(b"short").decode()])
def test_text_that_is_no_key(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingsInvalid, match="32 random bytes") as fault:
        Vault.of(Settings(state=tmp_path, master_keys=SecretStr(text)))
    assert not text or text not in str(fault.value)
