"""Encryption of what should not be read from a copy of the database: the values of blocks.

The key is `PREFECT_SERVER_ENCRYPTION_KEY`; where there is none, one is made and kept in the database, which
hides values from whoever sees a row, not from whoever has the whole database. What was encrypted with the key
of the database stays readable after a setting names another.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from prefect.exceptions import ConfigurationError
from prefect.schemas.base import encode_json
from prefect.settings import get_current_settings
from prefect.store.base import Store
from prefect.store.tables import configurations
from prefect.store.values import json_text
from prefect.types import format_utc, now, uuid7

__all__ = ["Cipher", "cipher_of"]

_NAME = "encryption_key"


class Cipher:
    """Turns values into texts that say nothing without the key, and back.

    Args:
        keys: The key to encrypt with, and further ones that texts may have been encrypted with.
    """

    def __init__(self, keys: list[Fernet]) -> None:
        self._fernet = MultiFernet(keys)

    def encrypt(self, data: dict[str, Any]) -> str:
        """Return values, as JSON has them, as such a text."""
        return self._fernet.encrypt(encode_json(data)).decode()

    def decrypt(self, text: str, document_id: UUID) -> dict[str, Any]:
        """Return the values of such a text.

        Args:
            text: The text.
            document_id: Whose values they are, for the error.

        Raises:
            prefect.exceptions.ConfigurationError: They were encrypted with another key.
        """
        try:
            plain = self._fernet.decrypt(text.encode())
        except InvalidToken as error:
            raise ConfigurationError(
                f"The values of block document {document_id} cannot be decrypted: they were encrypted with "
                "another key. Set PREFECT_SERVER_ENCRYPTION_KEY to that one."
            ) from error
        return dict(msgspec.json.decode(plain))


def cipher_of(store: Store) -> Cipher:
    """Return what encrypts the values that a store keeps; not to be called within a transaction.

    Args:
        store: The store.

    Raises:
        prefect.exceptions.ConfigurationError: `PREFECT_SERVER_ENCRYPTION_KEY` is no key.
    """
    kept = Fernet(_read(store) or _make(store))
    chosen = get_current_settings().server.encryption_key
    if chosen is None:
        return Cipher([kept])
    try:
        return Cipher([Fernet(chosen.get_secret_value()), kept])
    except ValueError as error:
        raise ConfigurationError(
            f"PREFECT_SERVER_ENCRYPTION_KEY is no key ({error}). One is made by "
            'python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())".'
        ) from error


def _read(store: Store) -> str | None:
    rows = store.select(select(configurations.c.value).where(configurations.c.key == _NAME))
    return str(msgspec.json.decode(rows[0][0])["fernet_key"]) if rows else None


def _make(store: Store) -> str:
    at = format_utc(now())
    value = json_text({"fernet_key": Fernet.generate_key().decode()})
    added = insert(configurations).values(id=uuid7().hex, created=at, updated=at, key=_NAME, value=value)
    with store.transaction() as connection:
        connection.execute(added.on_conflict_do_nothing())
    # Of processes that make one at the same time, all use that of the first.
    made = _read(store)
    if made is None:
        raise ConfigurationError("The key that was just made is gone from the database. Try again.")
    return made
