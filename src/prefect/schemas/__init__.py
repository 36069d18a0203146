"""The data model: one definition of each object for the engine, the store and the wire."""

# Whoever imports any part of the data model gets msgspec the light way that `base` has.
from prefect.schemas import base as base
