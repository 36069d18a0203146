"""Durations that JSON has as a number of seconds."""

from __future__ import annotations

from datetime import timedelta

__all__ = ["Seconds"]


class Seconds(timedelta):
    """A timedelta that is written to JSON as a number of seconds; any other is written as ISO 8601."""

    @classmethod
    def of(cls, duration: timedelta) -> Seconds:
        """Return a duration as one that is written in seconds."""
        return cls(duration.days, duration.seconds, duration.microseconds)

    def __repr__(self) -> str:
        return f"datetime.{timedelta(self.days, self.seconds, self.microseconds)!r}".replace(
            "datetime.datetime.", "datetime."
        )
