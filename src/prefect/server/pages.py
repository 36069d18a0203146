"""Pages: what is served beside the API, for people and for Prometheus."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from prefect.schemas.base import encode_json
from prefect.server.compression import compressed
from prefect.server.messages import JSON, Message, Receive, Reply
from prefect.server.paths import Paths
from prefect.server.routes import ROUTES
from prefect.server.workroom import Workroom
from prefect.settings.server_table import ServerSettings

if TYPE_CHECKING:
    from prefect.server.metrics import Metrics

__all__ = ["add_documentation", "add_figures", "add_ui_settings"]

_SWAGGER = "https://cdn.jsdelivr.net/npm/swagger-ui-dist@5.18.2/swagger-ui"
_PAGE = f"""<!DOCTYPE html>
<html>
  <head>
    <title>Proconsul</title>
    <link rel="icon" href="data:,">
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <link href="{_SWAGGER}.css" rel="stylesheet">
    <script src="{_SWAGGER}-bundle.js" crossorigin></script>
    <style>body {{ margin: 0 }}</style>
  </head>
  <body>
    <div id="api"></div>
    <script>
      SwaggerUIBundle({{
        spec: DESCRIPTION,
        dom_id: "#api",
        deepLinking: true,
        showExtensions: true,
        showCommonExtensions: true,
      }})
    </script>
  </body>
</html>
"""


def add_documentation(paths: Paths, prefix: str) -> None:
    """Serve the description of the API, and a page to try it with.

    Args:
        paths: Where.
        prefix: What the API's paths start with.
    """

    @lru_cache(maxsize=1)
    def description() -> bytes:
        from prefect.server.openapi import describe  # noqa: PLC0415 - few servers are asked for it

        return encode_json(describe(ROUTES, prefix))

    async def openapi(scope: Message, names: Mapping[str, str], receive: Receive) -> Reply:
        return _reply(scope, description(), JSON)

    async def docs(scope: Message, names: Mapping[str, str], receive: Receive) -> Reply:
        # Within the page, so that it is found behind any proxy; no text of it may end the script.
        described = description().replace(b"<", b"\\u003c")
        return _reply(scope, _PAGE.encode().replace(b"DESCRIPTION", described), b"text/html; charset=utf-8")

    paths.add("GET", "/openapi.json", openapi)
    paths.add("GET", "/docs", docs)


def _reply(scope: Message, content: bytes, kind: bytes) -> Reply:
    accepted = dict(scope["headers"]).get(b"accept-encoding", b"")
    body, headers = compressed(content, accepted)
    return Reply(200, body, kind, headers)


def add_ui_settings(paths: Paths, settings: ServerSettings) -> None:
    """Say what a page must know before it asks the API anything: that there is none here, among others.

    Args:
        paths: Where.
        settings: How the server serves.
    """
    api = urlsplit(settings.ui.api_url or "")
    said = {
        "api_url": api._replace(netloc=api.netloc.rpartition("@")[2]).geturl(),  # what logs in is nobody's
        "csrf_enabled": settings.api.csrf_protection_enabled,
        "auth": "BASIC" if settings.api.auth_string else None,
        "flags": [],
        "default_ui": "v2",
        "available_uis": [],
        "v1_base_url": None,
        "v2_base_url": None,
    }
    content = encode_json(said)

    async def ui_settings(scope: Message, names: Mapping[str, str], receive: Receive) -> Reply:
        return _reply(scope, content, JSON)

    paths.add("GET", "/ui-settings", ui_settings)


def add_figures(paths: Paths, prefix: str, metrics: Metrics, workroom: Workroom) -> None:
    """Serve figures for Prometheus.

    Args:
        paths: Where.
        prefix: What the API's paths start with.
        metrics: What is counted.
        workroom: Where the store is asked.
    """

    async def figures(scope: Message, names: Mapping[str, str], receive: Receive) -> Reply:
        return Reply(200, await workroom.run(metrics.text), metrics.media_type.encode())

    # The interface's path, and the one where Prometheus looks.
    for path in (f"{prefix}/metrics", "/metrics"):
        paths.add("GET", path, figures)
