"""A process that takes slots and gives them back. `python holders.py URL DIRECTORY TIMES LIMIT`

While it holds a slot, a file says so; more files than there are slots would show that limits do not hold.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from prefect.exceptions import ConcurrencyLimitReached
from prefect.operations.concurrency import (
    decrement_slots_with_lease,
    increment_slots_with_lease,
    renew_lease,
)
from prefect.store import make_store


def main(url: str, directory: Path, times: int, limit: int) -> None:
    store = make_store(url)
    mark, taken, both = directory / str(os.getpid()), 0, os.getpid() % 2
    # In both orders, so that locks that are taken in the order of the names would wait for each other.
    names = ["b", "a"] if both else ["a", "b"]
    while taken < times:
        try:
            lease = increment_slots_with_lease(store, slots=1, names=names, lease_duration=60).lease_id
        except ConcurrencyLimitReached:
            time.sleep(0.001)
            continue
        mark.touch()
        if len(list(directory.iterdir())) > limit:
            sys.exit("more slots are held than there are")
        renew_lease(store, lease, 60)
        mark.unlink()
        decrement_slots_with_lease(store, lease)
        taken += 1
    store.close()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
