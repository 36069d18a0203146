"""Answers that are sent while they are made."""

from __future__ import annotations

from collections.abc import AsyncIterator

from litestar.response import Stream

from prefect.schemas.responses import TextFile
from prefect.server.workroom import Workroom

__all__ = ["streamed"]


def streamed(file: TextFile, workroom: Workroom) -> Stream:
    """Return the answer that sends a file, of which no more than a part is in memory.

    Args:
        file: The file.
        workroom: Where its parts are made.
    """

    async def parts() -> AsyncIterator[bytes]:
        # Lone surrogates, which a log may have from a broken file name, are nothing that UTF-8 can say.
        while (part := await workroom.run(next, file.parts, None)) is not None:
            yield part.encode(errors="replace")

    headers = {"content-disposition": file.disposition}
    return Stream(parts(), media_type=file.media_type, headers=headers)
