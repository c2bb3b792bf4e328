"""Login by the city's identity provider: OpenID Connect, authorization code with PKCE.

The access token is what the services are called with, so it must be of the issuer and audience that they trust
(QYT_ISSUER, QYT_AUDIENCE, QYT_JWKS). Whoever comes back is checked by state and nonce, which a sealed cookie keeps.
"""

import secrets
import time
from dataclasses import dataclass
from typing import Any

import httpx2
import jwt
from authlib.common.security import generate_token
from authlib.integrations.httpx_client import AsyncOAuth2Client, OAuthError

from chassis.auth import ALGORITHMS
from chassis.settings import Settings, SettingsInvalid

CALLBACK = "/console/login/callback"
PATIENCE = 10.0
# Seconds between the leaving for the provider and the coming back.
WITHIN = 600
REFRESH = 300.0
CLOCKS_APART = 30


class LoginFailed(Exception):
    """The identity provider did not vouch for the person. The text is for the log; it holds no secret."""


@dataclass(frozen=True)
class Pending:
    """A login that has left for the provider. It is kept in a sealed cookie until it comes back."""

    state: str
    nonce: str
    verifier: str
    next: str
    since: float

    def json(self) -> dict[str, str]:
        return {**vars(self), "since": str(self.since)}

    @classmethod
    def read(cls, kept: dict[str, str] | None) -> "Pending | None":
        if not kept or kept.keys() != cls.__dataclass_fields__.keys():
            return None
        pending = cls(**{**kept, "since": float(kept["since"])})  # type: ignore[arg-type]
        return pending if time.time() - pending.since < WITHIN else None


class Provider:
    """The identity provider that the settings name."""

    def __init__(self, issuer: str, client_id: str, secret: str, redirect: str) -> None:
        self._issuer = issuer.rstrip("/")
        self._client_id = client_id
        self._secret = secret
        self._redirect = redirect
        self._metadata: dict[str, Any] = {}
        self._read_at = float("-inf")

    @classmethod
    def of(cls, settings: Settings) -> "Provider | None":
        """None where no provider is set. Raises SettingsInvalid for one that is set in part."""
        if settings.console_oidc_issuer is None:
            return None
        if settings.console_oidc_client_id is None or settings.console_url is None:
            raise SettingsInvalid(
                "QYT_CONSOLE_OIDC_CLIENT_ID and QYT_CONSOLE_URL are needed beside QYT_CONSOLE_OIDC_ISSUER"
            )
        secret = settings.console_oidc_client_secret
        return cls(
            settings.console_oidc_issuer,
            settings.console_oidc_client_id,
            secret.get_secret_value() if secret else "",
            settings.console_url.rstrip("/") + CALLBACK,
        )

    async def leave(self, path: str) -> tuple[str, Pending]:
        """Where the browser goes to log in, and what has to be remembered until it is back. Raises LoginFailed."""
        metadata = await self._discovered()
        pending = Pending(generate_token(48), generate_token(48), generate_token(48), path, time.time())
        async with self._client() as client:
            url, _ = client.create_authorization_url(
                metadata["authorization_endpoint"],
                state=pending.state,
                nonce=pending.nonce,
                code_verifier=pending.verifier,
            )
        return str(url), pending

    async def arrive(self, url: str, pending: Pending) -> str:
        """The access token of whoever comes back at `url`. Raises LoginFailed."""
        metadata = await self._discovered()
        try:
            async with self._client() as client:
                answer = await client.fetch_token(
                    metadata["token_endpoint"],
                    authorization_response=url,
                    state=pending.state,
                    code_verifier=pending.verifier,
                )
            await self._check(answer["id_token"], metadata, pending.nonce)
            return str(answer["access_token"])
        except (OAuthError, jwt.PyJWTError, httpx2.HTTPError, KeyError, ValueError) as fault:
            raise LoginFailed(f"{type(fault).__name__} at the token endpoint") from fault

    async def farewell(self) -> str | None:
        """Where the browser can log out of the provider too."""
        try:
            return (await self._discovered()).get("end_session_endpoint")
        except LoginFailed:
            return None

    def _client(self) -> AsyncOAuth2Client:
        return AsyncOAuth2Client(
            self._client_id,
            self._secret or None,
            token_endpoint_auth_method="client_secret_basic" if self._secret else "none",
            scope="openid",
            redirect_uri=self._redirect,
            code_challenge_method="S256",
            timeout=PATIENCE,
            trust_env=False,
        )

    async def _check(self, id_token: str, metadata: dict[str, Any], nonce: str) -> None:
        """The ID token is of this provider, for us, fresh, and of this login (OpenID Connect Core, section 3.1.3.7)."""
        async with httpx2.AsyncClient(timeout=PATIENCE, trust_env=False) as http:
            keys = jwt.PyJWKSet.from_dict((await http.get(metadata["jwks_uri"])).raise_for_status().json())
        claims = jwt.decode(
            id_token,
            keys[jwt.get_unverified_header(id_token)["kid"]],
            algorithms=ALGORITHMS,
            issuer=metadata["issuer"],
            audience=self._client_id,
            leeway=CLOCKS_APART,
            options={"require": ["exp", "iss", "aud", "nonce"]},
        )
        if not secrets.compare_digest(str(claims["nonce"]), nonce):
            raise LoginFailed("the ID token is of another login")

    async def _discovered(self) -> dict[str, Any]:
        """The provider's metadata (OpenID Connect Discovery), read again every few minutes."""
        if time.monotonic() - self._read_at > REFRESH:
            try:
                async with httpx2.AsyncClient(timeout=PATIENCE, trust_env=False) as http:
                    answer = await http.get(f"{self._issuer}/.well-known/openid-configuration")
                    metadata = answer.raise_for_status().json()
                if metadata["issuer"].rstrip("/") != self._issuer:
                    raise LoginFailed("the provider says that it is another issuer")
            except (httpx2.HTTPError, ValueError, KeyError) as fault:
                raise LoginFailed(f"{type(fault).__name__} while the provider was asked for its metadata") from fault
            self._metadata, self._read_at = metadata, time.monotonic()
        return self._metadata
