"""Answers that are sent while they are made."""

from __future__ import annotations

from collections.abc import AsyncIterator

from prefect.schemas.responses import TextFile
from prefect.server.messages import Reply
from prefect.server.workroom import Workroom

__all__ = ["reply_of"]


def reply_of(file: TextFile, workroom: Workroom) -> Reply:
    """Return the answer that sends a file, of which no more than a part is in memory.

    Args:
        file: The file.
        workroom: Where its parts are made.
    """

    async def parts() -> AsyncIterator[bytes]:
        # Lone surrogates, which a log may have from a broken file name, are nothing that UTF-8 can say.
        while (part := await workroom.run(next, file.parts, None)) is not None:
            yield part.encode(errors="replace")

    headers = [(b"content-disposition", file.disposition.encode("latin-1"))]
    return Reply(200, parts(), f"{file.media_type}; charset=utf-8".encode(), headers)
