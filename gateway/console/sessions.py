"""Who looks at the pages: the token of a login, sealed into a cookie that only the console reads.

Nothing is kept on the server: any process that has the master key can read the cookie, and it ends with its token.
"""

import base64
import binascii
import json
import secrets
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from chassis.auth import Caller, Verifier
from chassis.errors import Refusal
from chassis.vault import MasterKeyMissing, Vault

COOKIE, PATH = "qyt-session", "/console"
PURPOSE, OWNER = "console session", "city"
# Browsers keep 4,096 bytes of a cookie with its name and attributes.
LONGEST = 3_900


class TokenTooLong(Exception):
    """The token of the identity provider does not fit into a cookie."""


@dataclass(frozen=True)
class Session:
    """A person who has logged in. `csrf` stands in each form of theirs, and in no other place."""

    caller: Caller
    token: str
    csrf: str


class Sessions:
    """Makes and reads the cookie."""

    def __init__(self, vault: Vault, verifier: Verifier) -> None:
        self._vault = vault
        self._verifier = verifier

    async def begin(self, token: str, response: Response, *, secure: bool) -> Session:
        """Logs in with a token. Raises Refusal when the services would not take it, TokenTooLong."""
        caller = await self._verifier.verify(f"Bearer {token}")
        session = Session(caller, token, secrets.token_hex(16))
        value = self.seal({"token": token, "csrf": session.csrf})
        if len(value) > LONGEST:
            raise TokenTooLong
        response.set_cookie(COOKIE, value, path=PATH, secure=secure, httponly=True, samesite="lax")
        return session

    async def read(self, request: Request) -> Session | None:
        """The session of a request; none without a cookie, or with one that is not ours or whose token has expired."""
        kept = self.open(request.cookies.get(COOKIE, ""))
        if kept is None:
            return None
        try:
            return Session(await self._verifier.verify(f"Bearer {kept['token']}"), kept["token"], kept["csrf"])
        except Refusal:
            return None

    @staticmethod
    def end(response: Response) -> None:
        response.delete_cookie(COOKIE, path=PATH, httponly=True, samesite="lax")

    def seal(self, content: dict[str, str]) -> str:
        """Text for a cookie, readable by the console alone."""
        return base64.urlsafe_b64encode(self._vault.wrap(PURPOSE, OWNER, json.dumps(content).encode())).decode()

    def open(self, sealed: str) -> dict[str, str] | None:
        """What was sealed; None for anything else."""
        try:
            content = json.loads(self._vault.unwrap(PURPOSE, OWNER, base64.urlsafe_b64decode(sealed)))
        except (ValueError, binascii.Error, MasterKeyMissing):
            return None
        return dict(content)
