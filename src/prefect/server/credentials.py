"""Who may come in: the password or key that a server asks for, and whether what was sent is it."""

from __future__ import annotations

import base64
import binascii
from hmac import compare_digest

__all__ = ["Credentials"]


class Credentials:
    """What clients must send.

    Secrets are compared in a time that does not tell how much of them was right.

    Args:
        auth_string: `user:password`, which clients send as basic authentication, and sockets as their token.
        api_key: A key, which clients send as a bearer token, and sockets as their token.
    """

    __slots__ = ("_api_key", "_auth_string")

    def __init__(self, auth_string: str = "", api_key: str = "") -> None:
        self._auth_string = auth_string.encode()
        self._api_key = api_key.encode()

    @property
    def are_asked(self) -> bool:
        """Whether anything must be sent at all."""
        return bool(self._auth_string or self._api_key)

    def admit_header(self, header: bytes | None) -> bool:
        """Say whether a request may come in.

        Args:
            header: Its `Authorization` header.
        """
        if not self.are_asked:
            return True
        scheme, _, given = (header or b"").partition(b" ")
        if scheme.lower() == b"bearer":
            return _is(given.strip(), self._api_key)
        if scheme.lower() != b"basic":
            return False
        try:
            return _is(base64.b64decode(given.strip(), validate=True), self._auth_string)
        except binascii.Error:
            return False

    def admit_token(self, token: str) -> bool:
        """Say whether a socket may come in.

        Args:
            token: The token of its greeting.
        """
        given = token.encode(errors="surrogatepass")
        # Both are looked at in any case, so that the time does not tell which it was.
        return (not self.are_asked) | _is(given, self._auth_string) | _is(given, self._api_key)


def _is(given: bytes, wanted: bytes) -> bool:
    """Whether a secret is the right one; where none is set, nothing is."""
    return compare_digest(given, wanted) & bool(wanted)
