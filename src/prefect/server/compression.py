"""Answers made smaller, for clients that can read them."""

from __future__ import annotations

import gzip

from litestar import Response

__all__ = ["LEAST", "compressed"]

LEAST = 500
"""Bytes from which on it is worth it."""
_LEVEL = 4
"""Of 9: those above take much longer, and gain little on JSON."""


def compressed(content: bytes, status: int, accepted: str) -> Response[bytes]:
    """Return an answer in JSON, compressed if it is large and the client takes that.

    Args:
        content: The answer's body.
        status: Its status.
        accepted: The client's `Accept-Encoding`.
    """
    if len(content) < LEAST:
        return Response(content, status_code=status, media_type="application/json")
    headers = {"vary": "Accept-Encoding"}
    if _takes_gzip(accepted):
        headers["content-encoding"] = "gzip"
        content = gzip.compress(content, _LEVEL, mtime=0)
    return Response(content, status_code=status, media_type="application/json", headers=headers)


def _takes_gzip(accepted: str) -> bool:
    weights = {}
    for each in accepted.lower().split(","):
        name, _, parameter = each.partition(";")
        weights[name.strip()] = parameter.replace(" ", "")
    return "gzip" in weights and weights["gzip"] not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
