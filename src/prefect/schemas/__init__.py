"""The data model: one definition of each object for the engine, the store and the wire."""
