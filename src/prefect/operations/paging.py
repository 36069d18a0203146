"""One page of a listing."""

from __future__ import annotations

from typing import TypeVar

from prefect.schemas.queries import DEFAULT_LIMIT, PageQuery
from prefect.schemas.responses import Paginated

__all__ = ["paginated"]

T = TypeVar("T")


def paginated(query: PageQuery, results: list[T], count: int) -> Paginated[T]:
    """Return a page as it is answered.

    Args:
        query: What was asked for.
        results: What is on the page.
        count: How many there are on all pages.
    """
    limit = DEFAULT_LIMIT if query.limit is None else query.limit
    pages = -(-count // limit) if limit else 0
    return Paginated(results=results, count=count, limit=limit, pages=pages, page=query.page)
