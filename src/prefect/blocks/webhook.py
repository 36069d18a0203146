"""Blocks that call webhooks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, SecretStr

from prefect.blocks.core import Block
from prefect.types.secret_dict import SecretDict
from prefect.version import INTERFACE_VERSION

if TYPE_CHECKING:
    from httpx import Response

__all__ = ["Webhook"]


class Webhook(Block):
    """An address that something is done by, when it is called."""

    _block_type_name = "Webhook"
    _block_type_slug = "webhook"
    _block_schema_version = INTERFACE_VERSION

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = Field("POST", description="How to call it.")
    url: SecretStr = Field(title="Webhook URL", description="The address.")
    headers: SecretDict = Field(
        default_factory=lambda: SecretDict({}), title="Webhook Headers", description="What to send along."
    )
    allow_private_urls: bool = Field(
        True, description="Whether the address may be one that is not of the internet."
    )
    verify: bool = Field(True, description="Whether the other side must show by a certificate who it is.")

    async def call(self, payload: dict[str, Any] | str | None = None) -> Response:
        """Call it.

        Args:
            payload: What to send; an object is sent as JSON.

        Returns:
            The answer, whatever it is.

        Raises:
            ValueError: The address is none that it may call.
            httpx.TransportError: There was no answer.
        """
        from prefect.blocks.values import values_of  # noqa: PLC0415 - with what is below
        from prefect.operations.outgoing import call  # noqa: PLC0415 - asyncio, which loads slowly
        from prefect.rules.messages import call_of_webhook  # noqa: PLC0415 - only who sends needs it

        return await call(call_of_webhook(values_of(self), payload))
