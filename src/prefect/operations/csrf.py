"""Tokens against requests that a page of another site has a browser send.

A token is a time and a signature over that and the client it is for. The key is kept in the store, so that
every process over one store takes the tokens of the others, and nothing is written when a token is given.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import datetime
from uuid import UUID

import msgspec

from prefect.exceptions import ObjectUnsupported
from prefect.operations.registry import operation
from prefect.schemas.base import FrozenSchema
from prefect.settings import get_current_settings
from prefect.store.base import Store
from prefect.store.records import Records
from prefect.store.tables import configurations
from prefect.types import now, uuid7

__all__ = ["Configuration", "CsrfToken", "csrf_key", "read_csrf_token", "refuse_csrf_token"]

_KEY = "csrf-key"


class CsrfToken(FrozenSchema, frozen=True):
    """A token, and until when it is good."""

    token: str
    client: str
    expiration: datetime
    created: datetime
    updated: datetime
    id: UUID = msgspec.field(default_factory=uuid7)


class Configuration(FrozenSchema, frozen=True):
    """A value that servers over one store share."""

    key: str
    value: str
    created: datetime
    updated: datetime
    id: UUID = msgspec.field(default_factory=uuid7)


_configurations = Records(configurations, Configuration)


@operation("GET", "/csrf-token")
def read_csrf_token(store: Store, client: str) -> CsrfToken:
    """Give a client a token, which it sends with each request that may change something.

    Args:
        store: The store.
        client: Who asks: any text, which is sent along with the token.

    Raises:
        prefect.exceptions.ObjectUnsupported: No tokens are asked for; the text makes clients stop asking.
    """
    settings = get_current_settings().server.api
    if not settings.csrf_protection_enabled:
        raise ObjectUnsupported("CSRF protection is disabled.")
    made = now()
    expiration = made + settings.csrf_token_expiration
    until = f"{int(expiration.timestamp()):x}"
    token = f"{until}-{_signature(csrf_key(store), until, client)}"
    return CsrfToken(token=token, client=client, expiration=expiration, created=made, updated=made)


def refuse_csrf_token(key: bytes, token: str | None, client: str | None, moment: datetime) -> str | None:
    """Return what is wrong with a request's token; None: nothing.

    Args:
        key: What tokens are signed with.
        token: The token that was sent.
        client: The client that it was sent for.
        moment: When.
    """
    if not token:
        return "Missing CSRF token."
    if not client:
        return "Missing client identifier."
    until, _, signature = token.partition("-")
    # Signed first: what nobody here made is not even read.
    is_ours = hmac.compare_digest(signature.encode(), _signature(key, until, client).encode())
    if not is_ours or int(until, 16) < moment.timestamp():
        return "Invalid CSRF token or client identifier."
    return None


def csrf_key(store: Store) -> bytes:
    """Return the key that tokens are signed with; the first who asks makes it.

    Args:
        store: Where it is kept.
    """
    found = _configurations.first(store, configurations.c.key == _KEY)
    if found is None:
        made = now()
        new = Configuration(key=_KEY, value=secrets.token_hex(32), created=made, updated=made)
        with store.transaction() as connection:
            # Another process may have been first: what is there then goes.
            _configurations.insert(connection, new)
            found = _configurations.first(connection, configurations.c.key == _KEY) or new
    return bytes.fromhex(found.value)


def _signature(key: bytes, until: str, client: str) -> str:
    return hmac.new(key, f"{until}\0{client}".encode(errors="surrogatepass"), hashlib.sha256).hexdigest()
