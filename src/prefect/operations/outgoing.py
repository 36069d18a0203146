"""Requests to services of others: sent to the address that was checked, within a time, and never logged.

Addresses are those of users' blocks, and carry their secrets; a server that sends to wherever it is told must
not become a way into its own network. So the name is resolved once, each address is checked, and the
connection goes to an address that was checked, whatever the name means a moment later. Redirects are not
followed. Requests do not go through a client of httpx, which logs the addresses of all of them.
"""

from __future__ import annotations

import asyncio
import json
import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from random import SystemRandom
from typing import TYPE_CHECKING
from urllib.request import getproxies, proxy_bypass

from prefect.exceptions import ConfigurationError
from prefect.rules.messages import Outgoing

if TYPE_CHECKING:
    import httpx

__all__ = ["AddressRefused", "CallFailed", "call", "check_answer", "deliver", "deliver_once", "refusal_of"]

MOST_BYTES = 1 << 20
"""How much of an answer is read."""
CONNECT_SECONDS = 10.0
TRIES = 3
_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 10.0
_LATER = frozenset([408, 425, 429, 500, 502, 503, 504])
"""Answers after which it may go well a little later."""

_Address = IPv4Address | IPv6Address
_TRANSLATED = ip_network("64:ff9b::/96")
_METADATA = ip_address("fd00:ec2::254")


class AddressRefused(ValueError):
    """An address is not one that a request may go to."""


class CallFailed(Exception):
    """A request came to nothing. The text never says where it went: that may be secret.

    Args:
        reason: Why.
        later: Whether it may go well later.
        after: In how many seconds at the earliest, if the other side says so.
    """

    def __init__(self, reason: str, *, later: bool, after: float = 0.0) -> None:
        super().__init__(reason)
        self.later = later
        self.after = after


def deliver(asked: Outgoing, tries: int = TRIES) -> None:
    """Send a message, and again after a little while if it may go well then.

    Args:
        asked: The message.
        tries: How often, at most.

    Raises:
        CallFailed: It was not taken.
    """
    asyncio.run(_deliver(asked, tries))


async def _deliver(asked: Outgoing, tries: int) -> None:
    for number in range(1, tries + 1):
        try:
            return await deliver_once(asked)
        except CallFailed as failure:
            if not failure.later or number == tries or failure.after > _LONGEST_PAUSE_SECONDS:
                raise
            # Not all at the same time again.
            pause = _PAUSE_SECONDS * 2 ** (number - 1) * SystemRandom().uniform(0.5, 1.5)
            await asyncio.sleep(max(failure.after, pause))


async def deliver_once(asked: Outgoing) -> None:
    """Send a message once.

    Raises:
        CallFailed: It was not taken.
    """
    import httpx  # noqa: PLC0415 - slow to load

    try:
        if asked.through_apprise:
            return await _through_apprise(asked)
        check_answer(await call(asked))
    except (AddressRefused, ConfigurationError, httpx.InvalidURL) as error:
        said = "Its address is none." if isinstance(error, httpx.InvalidURL) else str(error)
        raise CallFailed(said, later=False) from None
    except httpx.TimeoutException:
        raise CallFailed("No answer came in time.", later=True) from None
    except httpx.TransportError as error:
        kind = type(error).__name__
        raise CallFailed(f"It could not be reached ({kind}).", later=True) from None


def check_answer(answer: httpx.Response) -> None:
    """Refuse an answer that says that a message was not taken.

    Raises:
        CallFailed: It does.
    """
    status = answer.status_code
    if status < 300:
        return
    said = f"{status} {answer.reason_phrase}".strip()
    if status < 400:
        raise CallFailed(f"The answer was {said}: redirects are not followed.", later=False)
    try:
        after = min(3600.0, max(0.0, float(answer.headers.get("retry-after", "0"))))
    except ValueError:
        after = 0.0
    raise CallFailed(f"The answer was {said}.", later=status in _LATER, after=after)


async def call(asked: Outgoing) -> httpx.Response:
    """Send a request to an address that was checked, and return the answer, whatever it is.

    Args:
        asked: The request.

    Raises:
        AddressRefused: It is not to go there.
        httpx.TransportError: There was no answer.
        httpx.InvalidURL: Its address is none.
    """
    import httpx  # noqa: PLC0415 - slow to load

    try:
        async with asyncio.timeout(asked.seconds):
            return await _call(asked)
    except TimeoutError as error:
        raise httpx.ReadTimeout(f"No answer within {asked.seconds:g} seconds.") from error


async def _call(asked: Outgoing) -> httpx.Response:
    import httpx  # noqa: PLC0415 - slow to load

    url = httpx.URL(asked.url)
    if url.scheme not in ("http", "https") or not url.host:
        raise AddressRefused("Its address must begin with https:// or http://.")
    proxy = _proxy_of(url)
    if proxy is not None and asked.allow_private:
        # The proxy knows the names, and says where one may go.
        return await _send(asked, url, None, proxy)
    addresses = await _resolved(url, asked.allow_private)
    last: httpx.ConnectError | httpx.ConnectTimeout | None = None
    for address in addresses:
        try:
            return await _send(asked, url, address, proxy)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            last = error
    assert last is not None
    raise last


async def _resolved(url: httpx.URL, allow_private: bool) -> list[str]:
    import httpx  # noqa: PLC0415 - slow to load

    port = url.port or (443 if url.scheme == "https" else 80)
    try:
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(url.host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise httpx.ConnectError("Its name cannot be resolved.") from error
    addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
    for address in addresses:
        if refused := refusal_of(address, allow_private):
            raise AddressRefused(refused)
    return addresses


def refusal_of(address: str, allow_private: bool) -> str | None:
    """Return why nothing may be sent to an address; None: it may.

    Args:
        address: The address, as numbers.
        allow_private: Whether it may be one that is not of the internet.
    """
    for one in _meant(ip_address(address.partition("%")[0])):
        if one.is_link_local or one.is_multicast or one == _METADATA:
            return "Its address is of a kind that nobody is sent messages at."
        if not allow_private and not one.is_global:
            return "Its address is a private one, and `allow_private_urls` is not set."
    return None


def _meant(address: _Address) -> list[_Address]:
    """Return an address, and those that it stands for."""
    found: list[_Address] = [address]
    if isinstance(address, IPv6Address):
        if address in _TRANSLATED:
            found.append(IPv4Address(int(address) & 0xFFFFFFFF))
        if address.ipv4_mapped:
            # What is global is said of the address that is meant.
            found = [address.ipv4_mapped]
        found += [each for each in (address.sixtofour, *(address.teredo or ())) if each is not None]
    return found


def _proxy_of(url: httpx.URL) -> str | None:
    proxies = getproxies()
    if proxy_bypass(url.host):
        return None
    return proxies.get(url.scheme) or proxies.get("all")


async def _send(asked: Outgoing, url: httpx.URL, address: str | None, proxy: str | None) -> httpx.Response:
    import httpx  # noqa: PLC0415 - slow to load

    waits = httpx.Timeout(asked.seconds, connect=min(CONNECT_SECONDS, asked.seconds)).as_dict()
    # The name stays in the header, and is what the certificate must be for; the connection is to the address.
    request = httpx.Request(
        asked.method,
        url,
        headers=asked.headers,
        content=asked.body or None,
        extensions={"timeout": waits, "sni_hostname": url.host},
    )
    if address is not None:
        request.url = url.copy_with(host=address)
    transport = httpx.AsyncHTTPTransport(verify=asked.verify, proxy=proxy)
    async with transport:
        answer = await transport.handle_async_request(request)
        answer.request = request
        parts: list[bytes] = []
        length = 0
        async for part in answer.aiter_raw():
            parts.append(part)
            length += len(part)
            if length >= MOST_BYTES:
                break
        await answer.aclose()
    shown = httpx.Request(asked.method, url)
    headers = [pair for pair in answer.headers.raw if pair[0].lower() not in _OF_THE_TRANSFER]
    return httpx.Response(
        answer.status_code, headers=headers, content=b"".join(parts)[:MOST_BYTES], request=shown
    )


_OF_THE_TRANSFER = frozenset([b"content-encoding", b"content-length", b"transfer-encoding"])
"""No encoding is asked for; one that comes all the same is not unpacked, for that may become any size."""


async def _through_apprise(asked: Outgoing) -> None:
    try:
        import apprise  # noqa: PLC0415 - may be missing
    except ImportError as error:
        raise ConfigurationError(
            "This block sends by way of apprise, which is not installed: "
            "pip install 'proconsul[notifications]'."
        ) from error
    told = json.loads(asked.body)
    sender = apprise.Apprise()
    if not sender.add(asked.url):
        raise ConfigurationError("Apprise does not know what the block's address means.")
    if not await sender.async_notify(**told):
        raise CallFailed("Apprise could not send it.", later=True)
