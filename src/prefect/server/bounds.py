"""How large what clients send may be."""

from __future__ import annotations

from typing import Any

from prefect.schemas.base import encode_json
from prefect.server.errors import InvalidRequest
from prefect.settings import get_current_settings

__all__ = ["check_parameters"]


def check_parameters(read: Any, body: bytes) -> None:
    """Refuse parameters of flow runs that are too large to be kept with each run.

    Args:
        read: What was read of a request's body.
        body: The body.

    Raises:
        prefect.server.errors.InvalidRequest: They are too large.
    """
    most = get_current_settings().server.api.max_parameter_size
    # Parameters are a part of the body, so that few bodies are looked at.
    if len(body) <= most or not getattr(read, "parameters", None):
        return
    size = len(encode_json(read.parameters))
    if size > most:
        message = (
            f"Flow run parameters must be less than {most:,} bytes when serialized (got {size:,} bytes). "
            "Keep large data elsewhere, and give the run the place of it."
        )
        raise InvalidRequest("body", ValueError(f"{message} - at `$.parameters`"), body)
