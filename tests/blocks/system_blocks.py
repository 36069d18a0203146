"""What the blocks that everybody has say of themselves; `python tests/blocks/system_blocks.py` writes it."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

from prefect.blocks import notifications
from prefect.blocks.description import example_of, text_of
from prefect.blocks.system import Secret
from prefect.blocks.webhook import Webhook
from prefect.operations import system_blocks

__all__ = ["PLACE", "classes", "said"]

PLACE = files("prefect.operations").joinpath(system_blocks.FILE)


def classes() -> list[Any]:
    found = [getattr(notifications, name) for name in notifications.__all__]
    return [Secret, Webhook, *(each for each in found if isinstance(each, type))]


def said() -> list[dict[str, Any]]:
    return [
        {
            "type": {
                "name": each.get_block_type_name(),
                "slug": each.get_block_type_slug(),
                "description": text_of(each),
                "code_example": example_of(each),
            },
            "fields": each.model_json_schema(),
            "capabilities": sorted(each.get_block_capabilities()),
        }
        for each in classes()
    ]


if __name__ == "__main__":
    from pathlib import Path

    Path(str(PLACE)).write_text(json.dumps(said(), indent=1) + "\n", encoding="utf-8")
