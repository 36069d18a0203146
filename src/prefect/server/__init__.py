"""The server: operations over HTTP, made from the registry, and the socket that events come in by."""

from __future__ import annotations
