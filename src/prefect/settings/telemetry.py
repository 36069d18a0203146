"""Other libraries that tell their makers how they are used are told not to."""

from __future__ import annotations

import os

__all__ = ["keep_ray_quiet"]


def keep_ray_quiet() -> None:
    """Have Ray, which is about to be started here, tell nobody of it; who has said otherwise is obeyed."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # Ray's own default from its next release on, which it warns of as long as nothing is said.
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
