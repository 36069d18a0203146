"""How to reach a server: what the settings say of it, read once for each client."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit, urlunsplit

from prefect.exceptions import ConfigurationError
from prefect.settings import SecretStr, Settings, get_current_settings
from prefect.version import API_VERSION, __version__

__all__ = ["ClientOptions", "client_options"]

_OURS = frozenset({"user-agent", "x-prefect-api-version", "prefect-csrf-token", "prefect-csrf-client"})
"""Headers that no setting can change: they are part of the protocol."""

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]+")
"""A header's."""


class ClientOptions(NamedTuple):
    """How to reach a server. Two clients whose options are equal share their connections."""

    url: str
    """Without user and password, and without a slash at its end."""
    headers: tuple[tuple[str, str], ...] = ()
    """Sent with each request; credentials are among them."""
    timeout: float = 60.0
    """Seconds to wait for an answer."""
    verify: bool = True
    """Whether the server's certificate must be trusted."""
    ssl_cert_file: str | None = None
    http2: bool = False
    max_retries: int = 5
    jitter: float = 0.2
    extra_codes: frozenset[int] = frozenset()
    """Further statuses to send a request again on."""
    csrf: bool = True
    """Whether to fetch the token that a server may ask for."""

    def __repr__(self) -> str:
        return f"ClientOptions(url={self.url!r})"


def client_options(
    url: str | None = None,
    settings: Settings | None = None,
    *,
    login: str | None = None,
    key: str | None = None,
) -> ClientOptions:
    """Return how to reach a server.

    Args:
        url: The URL of its API; None: the one in the settings.
        settings: The settings; None: the current ones.
        login: `user:password`; None: the one in the settings, or in the URL.
        key: The API key; None: the one in the settings.

    Raises:
        prefect.exceptions.ConfigurationError: The URL is none, or there is none.
    """
    settings = settings or get_current_settings()
    plain, in_url = _split_url(url or settings.api.url)
    api, client = settings.api, settings.client
    headers = {
        "User-Agent": f"proconsul/{__version__} (API {API_VERSION})",
        "X-PREFECT-API-VERSION": API_VERSION,
    }
    login = login or _plain(api.auth_string) or in_url
    key = key or _plain(api.key)
    if login:
        headers["Authorization"] = f"Basic {b64encode(login.encode()).decode()}"
    elif key:
        # Keys are often read from files, which end in an end of line.
        headers["Authorization"] = f"Bearer {_carried(key.strip(), 'PREFECT_API_KEY')}"
    custom = _custom(client.custom_headers)
    headers = {name: value for name, value in headers.items() if name.lower() not in custom.keys() - _OURS}
    headers |= {name: value for name, value in custom.items() if name not in _OURS}
    return ClientOptions(
        url=plain,
        headers=tuple(headers.items()),
        timeout=api.request_timeout,
        verify=not api.tls_insecure_skip_verify,
        ssl_cert_file=api.ssl_cert_file,
        http2=api.enable_http2,
        max_retries=client.max_retries,
        jitter=client.retry_jitter_factor,
        extra_codes=frozenset(client.retry_extra_codes),
        csrf=client.csrf_support_enabled,
    )


def _custom(given: Mapping[str, Any]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in given.items():
        plain = str(name).lower()
        if not _NAME.fullmatch(plain):
            raise ConfigurationError(
                f"PREFECT_CLIENT_CUSTOM_HEADERS: {plain!r} is no name of an HTTP header."
            )
        headers[plain] = _carried(str(value), f"PREFECT_CLIENT_CUSTOM_HEADERS: {plain!r}")
    return headers


def _carried(value: str, setting: str) -> str:
    """Return the value of a header, if it can be one; whoever sent it would find no server, and show it."""
    if not value.isascii() or not value.replace("\t", " ").isprintable():
        raise ConfigurationError(
            f"{setting} has a line break, or other characters that no HTTP header can carry. Set it anew."
        )
    return value


def _plain(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()


def _check_host(name: str) -> None:
    """Refuse what no address can be asked for, of which the error would be one of codecs."""
    if any(character.isspace() for character in name):
        raise ValueError(f"{name!r} is no name of a host")
    name.encode("idna")


def _split_url(url: Any) -> tuple[str, str | None]:
    """Take user and password out of a URL, so that no message can show them."""
    if not url:
        raise ConfigurationError(
            "There is no server to talk to: set PREFECT_API_URL, for example to http://127.0.0.1:4200/api."
        )
    try:
        parts = urlsplit(str(url))
        place = f"[{parts.hostname}]" if parts.hostname and ":" in parts.hostname else parts.hostname
        port = parts.port
        _check_host(place or "")
    except ValueError as error:
        raise ConfigurationError(f"PREFECT_API_URL is no URL: {error}.") from error
    if parts.scheme not in ("http", "https") or not place:
        raise ConfigurationError(
            "PREFECT_API_URL must be a URL like http://127.0.0.1:4200/api, "
            f"not {urlunsplit(parts._replace(netloc=parts.netloc.rpartition('@')[2]))!r}."
        )
    login = None
    if parts.username is not None:
        login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    netloc = place if port is None else f"{place}:{port}"
    return urlunsplit((parts.scheme, netloc, parts.path.rstrip("/"), "", "")), login
