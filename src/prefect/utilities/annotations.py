"""`unmapped`, `allow_failure`, `quote`: re-exported from `prefect.types.annotations`."""

from prefect.types.annotations import BaseAnnotation, allow_failure, opaque, quote, unmapped

__all__ = ["BaseAnnotation", "allow_failure", "opaque", "quote", "unmapped"]
