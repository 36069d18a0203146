"""Which pages a browser may let talk to the server, and under which names the server is reached.

A browser sends requests for any page that it shows, also to the machine that it runs on. Where the server
asks for a password that is no matter: the page does not know it. Where it does not, only pages of this
machine are served, and those that are named in the settings; and the server must have been reached by a
name of this machine, since a page's own name can be pointed to any address after the page was loaded.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit

__all__ = ["Origins", "is_loopback"]

Headers = list[tuple[bytes, bytes]]

_ANY = "*"
_METHODS = "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"
_SECONDS_KNOWN = b"600"


class Origins:
    """The origins and hosts that are served.

    Args:
        origins: Origins that may call, with commas between them; `*` is all, or, where anyone may come in,
            all of this machine.
        methods: Methods that they may use; `*` is all.
        headers: Headers that they may send; `*` is all.
        is_guarded: Whether the server asks for credentials.
        checks_hosts: Whether the server must have been reached by a name of this machine.
    """

    __slots__ = ("_checks_hosts", "_headers", "_hosts", "_is_guarded", "_methods", "_named", "_names_all")

    def __init__(
        self,
        origins: str = _ANY,
        methods: str = _ANY,
        headers: str = _ANY,
        *,
        is_guarded: bool = False,
        checks_hosts: bool = True,
    ) -> None:
        named = {each.strip().rstrip("/").lower() for each in origins.split(",") if each.strip()}
        self._names_all = _ANY in named
        self._named = frozenset(named)
        self._hosts = frozenset(_hostname(each) for each in named)
        self._methods = _METHODS if methods.strip() == _ANY else methods
        self._headers = headers.strip()
        self._is_guarded = is_guarded
        self._checks_hosts = checks_hosts and not is_guarded

    def serves_host(self, host: str) -> bool:
        """Say whether the server may be reached by a name.

        Args:
            host: The request's `Host`.
        """
        if not self._checks_hosts:
            return True
        name = _hostname(f"//{host}")
        return name in self._hosts or _is_own(name)

    def serves_origin(self, origin: str, host: str) -> bool:
        """Say whether a page may call.

        Args:
            origin: The request's `Origin`.
            host: The request's `Host`.
        """
        plain = origin.lower()
        if plain in self._named or _netloc(plain) == host.lower():
            return True
        return self._names_all and (self._is_guarded or _is_local(_hostname(plain)))

    def headers_for(self, origin: str) -> Headers:
        """Return the headers that let a page read an answer.

        Args:
            origin: The page's, which is served.
        """
        if self._names_all and self._is_guarded:
            return [(b"access-control-allow-origin", b"*"), (b"vary", b"Origin")]
        return [(b"access-control-allow-origin", origin.encode("latin-1")), (b"vary", b"Origin")]

    def headers_ahead(self, asked: Mapping[bytes, bytes]) -> Headers:
        """Return the headers of the answer to a browser that asks before it sends a request.

        Args:
            asked: The headers of the browser's question.
        """
        wanted = asked.get(b"access-control-request-headers", b"")
        headers = wanted if self._headers == _ANY else self._headers.encode("latin-1", "replace")
        return [
            (b"access-control-allow-methods", self._methods.encode("latin-1", "replace")),
            (b"access-control-allow-headers", headers),
            (b"access-control-max-age", _SECONDS_KNOWN),
        ]


def is_loopback(host: str) -> bool:
    """Say whether an address is only heard on this machine.

    Args:
        host: The address, or a name.
    """
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _netloc(url: str) -> str | None:
    try:
        return urlsplit(url).netloc
    except ValueError:
        return None


def _hostname(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def _is_local(name: str | None) -> bool:
    return name is not None and (is_loopback(name) or name.endswith(".localhost"))


def _is_own(name: str | None) -> bool:
    """Whether nobody can point a name elsewhere: an address is what it is."""
    if name is None:
        return False
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return _is_local(name)
    return True
