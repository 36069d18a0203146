"""Filters: no API key gets into a log."""

from __future__ import annotations

import logging
from typing import Any

from prefect.settings import get_current_settings

__all__ = ["ObfuscateApiKeyFilter", "redact_substr"]

_STARS = "********"


class ObfuscateApiKeyFilter(logging.Filter):
    """Replaces the API key in what is logged by asterisks."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Redact the record; it is never held back."""
        key = get_current_settings().api.key
        if key:
            secret = key.get_secret_value() if hasattr(key, "get_secret_value") else str(key)
            if secret:
                record.msg = redact_substr(record.msg, secret)
                if record.args:
                    record.args = redact_substr(record.args, secret)
        return True


def redact_substr(obj: Any, substr: str) -> Any:
    """Return a value with a text replaced by asterisks wherever it occurs in texts.

    Args:
        obj: Any value; dicts, lists, tuples and sets are looked through. Any other value that shows the text
            becomes its own text, redacted.
        substr: The text to hide.
    """
    if isinstance(obj, str):
        return obj.replace(substr, _STARS)
    if isinstance(obj, dict):
        return {key: redact_substr(value, substr) for key, value in obj.items()}
    if type(obj) in (list, tuple, set):
        return type(obj)(redact_substr(item, substr) for item in obj)
    if substr in str(obj):
        return str(obj).replace(substr, _STARS)
    return obj
