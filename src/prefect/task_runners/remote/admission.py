"""Whether a worker can tell the server of its runs, asked before the first: told late, they would be lost."""

from __future__ import annotations

import platform
from functools import lru_cache
from typing import TYPE_CHECKING

from prefect.client.options import client_options
from prefect.exceptions import PrefectException, ServerUnreachable

if TYPE_CHECKING:
    from prefect.client.options import ClientOptions

__all__ = ["refusal_of_server"]

_TIMEOUT = 5.0
_REFUSED = frozenset({401, 403})
_admitting: set[ClientOptions] = set()


@lru_cache(maxsize=256)
def refusal_of_server(key: str) -> str | None:
    """Ask the server that the current settings name whether it takes what this process tells.

    Args:
        key: Of a shared part; the server is asked again only for another, if it refused.

    Returns:
        For people, why it does not; None: it does.
    """
    options = client_options()._replace(max_retries=0)
    if options in _admitting:
        return None
    from prefect.client.http import HttpClient  # noqa: PLC0415 - only where a server is used

    try:
        HttpClient(options).request("GET", "/admin/version", timeout=_TIMEOUT)
    except PrefectException as error:
        status = getattr(getattr(error, "response", None), "status_code", 0)
        if isinstance(error, ServerUnreachable) or status in _REFUSED:
            return (
                f"The worker on {platform.node()} cannot tell the server of its task runs, so the process of "
                f"the flow does: {error} What is set must be in the environment of the worker."
            )
    _admitting.add(options)
    return None
