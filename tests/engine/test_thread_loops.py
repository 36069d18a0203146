"""Event loops of synchronous code: each thread keeps one, and closes it when it ends."""

from __future__ import annotations

import gc
import threading
from typing import Any

from prefect import flow


def test_a_thread_leaves_no_event_loop_open() -> None:
    heard: list[str] = []

    async def hook(_flow: Any, _run: Any, state: Any) -> None:
        heard.append(state.name)

    @flow(on_completion=[hook])
    def nothing() -> None:
        pass

    thread = threading.Thread(target=nothing)
    thread.start()
    thread.join()
    gc.collect()  # an open loop warns when it is collected, and warnings are errors here

    assert heard == ["Completed"]
