"""The addresses of a run: in the API, and in the pages that show it."""

from __future__ import annotations

from prefect.settings import get_current_settings

__all__ = ["api_url_of", "ui_url_of"]


def api_url_of(kind: str, run_id: str) -> str | None:
    """Return the address of a run below the API's, in the form that the interface has always given it.

    Args:
        kind: The path of such runs.
        run_id: The run's id.

    Returns:
        The address; None where no address of an API is set.
    """
    base = get_current_settings().api.url
    return f"{base.rstrip('/')}/{kind}/{run_id}" if base else None


def ui_url_of(kind: str, run_id: str) -> str | None:
    """Return the address of a run's page.

    Args:
        kind: The path of such runs.
        run_id: The run's id.

    Returns:
        The address; None where neither `PREFECT_UI_URL` nor `PREFECT_API_URL` is set.
    """
    base = get_current_settings().ui_url
    return f"{base.rstrip('/')}/{kind}/{run_id}" if base else None
