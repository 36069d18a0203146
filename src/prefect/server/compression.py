"""Answers made smaller, for clients that can read them."""

from __future__ import annotations

import gzip

from prefect.server.messages import Header

__all__ = ["LEAST", "compressed"]

LEAST = 500
"""Bytes from which on it is worth it."""
_LEVEL = 4
"""Of 9: those above take much longer, and gain little on JSON."""


def compressed(content: bytes, accepted: bytes) -> tuple[bytes, list[Header]]:
    """Return a body, compressed if it is large and the client takes that, and the headers that say so.

    Args:
        content: The body.
        accepted: The client's `Accept-Encoding`.
    """
    if len(content) < LEAST:
        return content, []
    headers = [(b"vary", b"Accept-Encoding")]
    if _takes_gzip(accepted.decode("latin-1")):
        headers.append((b"content-encoding", b"gzip"))
        content = gzip.compress(content, _LEVEL, mtime=0)
    return content, headers


def _takes_gzip(accepted: str) -> bool:
    weights = {}
    for each in accepted.lower().split(","):
        name, _, parameter = each.partition(";")
        weights[name.strip()] = parameter.replace(" ", "")
    return "gzip" in weights and weights["gzip"] not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
