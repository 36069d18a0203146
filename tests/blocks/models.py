"""Blocks that tests keep."""

from __future__ import annotations

from pydantic import BaseModel, Field, SecretStr

from prefect.blocks.core import Block
from prefect.types import SecretDict


class Plain(BaseModel):
    a: int = 1
    token: SecretStr = SecretStr("t")


class Login(Block):
    """Who may come in.

    Args:
        user: Who.
    """

    user: str = "me"
    password: SecretStr
    extra: SecretDict = Field(default_factory=dict)  # type: ignore[assignment]


class Other(Block):
    _block_type_name = "Other Kind"
    _description = "told"
    _code_example = "code"
    _documentation_url = "https://example.com/docs"
    _logo_url = "https://example.com/logo.png"
    _block_schema_version = "1.2"
    _block_schema_capabilities = ["b", "a"]  # noqa: RUF012 - as users write it

    n: int


class Host(Block):
    port: int = 80
    login: Login
    either: Login | Other | None = None
    plain: Plain = Plain()
    many: list[Plain] = []  # noqa: RUF012 - as users write it
    by_name: dict[str, SecretStr] = {}  # noqa: RUF012 - as users write it
