"""Async tasks side by side: fetch several pages at once, with a retry for the one that fails.

A small HTTP server in this process stands in for the internet, so that the example runs offline.
Run it: `python examples/async_fetch.py`
"""

from __future__ import annotations

import asyncio

from prefect import flow, task
from prefect.runtime import task_run

PAGES = {"/": "welcome", "/about": "a proconsul acts in the prefect's place", "/busy": "worth the wait"}


@task(retries=2, retry_delay_seconds=0.05, task_run_name="fetch {path}")
async def fetch(port: int, path: str) -> str:
    """Fetch one page; it is asked for again when the server answers with an error."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.0\r\nX-Attempt: {task_run.run_count}\r\n\r\n".encode())
    head, _, body = (await reader.read()).decode().partition("\r\n\r\n")
    writer.close()
    await writer.wait_closed()
    if " 200 " not in head.splitlines()[0]:
        raise ConnectionError(f"{path}: {head.splitlines()[0]}")
    return body


@flow(log_prints=True)
async def fetch_all(port: int) -> dict[str, int]:
    bodies = await asyncio.gather(*(fetch(port, path) for path in PAGES))
    sizes = {path: len(body) for path, body in zip(PAGES, bodies, strict=True)}
    print(f"fetched {sum(sizes.values())} characters from {len(sizes)} pages")
    return sizes


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Serve a page; `/busy` turns the first attempt away."""
    request = (await reader.readuntil(b"\r\n\r\n")).decode()
    path = request.split()[1]
    turned_away = path == "/busy" and "X-Attempt: 1" in request
    status = "503 Service Unavailable" if turned_away else "200 OK"
    writer.write(f"HTTP/1.0 {status}\r\n\r\n{'' if turned_away else PAGES[path]}".encode())
    await writer.drain()
    writer.close()


async def main() -> None:
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        await fetch_all(server.sockets[0].getsockname()[1])


if __name__ == "__main__":
    asyncio.run(main())
