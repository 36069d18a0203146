"""Tasks that run in other processes, wherever these are: what travels there, and what comes back.

One task run is carried out in three steps, and a runner (Dask, Ray) adds only how bytes get from one to the
next:

1. *Here*, `RemoteRun(task, parameters, wait_for, owner)` makes the run's record and future. Its `pack` gives
   two things. The *shared part* is what all runs of the task in this flow run have in common (the task, the
   flow run's facts, tags, settings): bytes under a key, which the runner takes to each worker once. The
   *parcel* is this run's own, at most 2 KB besides the user's arguments. With it come *handles* of results
   that are on the cluster already: the runner passes them on, without a look at them.
2. *There*, `run_parcel` runs the task. It returns an answer, some bytes for `RemoteRun.take`, and an
   `Outcome`: the run's last state with its value, which stays on the cluster. The next task gets it for its
   handle.
3. *Here*, `RemoteRun.take(answer)` writes down what the run did and completes its future. Small results come
   within the answer; large ones are fetched when somebody asks for them.

Where the settings name a server, workers of clusters tell it themselves what happens, with the key of their
own environment: no secret travels. Without one, from processes of this machine, and from workers that the
server does not let in (which is warned of), task runs and logs come back in messages, and are written down
here: a worker may be on another machine, the store of this one has one writer, and a process may be killed.
What a worker of a cluster that was killed can no longer tell a server is told from here: what had ended
(`LatelyEnded`), and what was under way within tasks (`NestedRuns`).
A runner that has a way to send messages while a task runs gives it to `run_parcel`; then a run is seen to be
running, and its logs come while they are written. Where that would cost a quick task too much, `run_parcel`
shows the run it has under way, and a runner may tell of one that takes long.
"""

from __future__ import annotations

from prefect.task_runners.remote.lately import LatelyEnded
from prefect.task_runners.remote.nested import NestedRuns
from prefect.task_runners.remote.packing import Packed, pack
from prefect.task_runners.remote.records import told
from prefect.task_runners.remote.results import Outcome, RemoteFuture
from prefect.task_runners.remote.running import flush_records, run_parcel
from prefect.task_runners.remote.sending import RemoteRun
from prefect.task_runners.remote.sharing import SharedPart, shared_part

__all__ = [
    "LatelyEnded",
    "NestedRuns",
    "Outcome",
    "Packed",
    "RemoteFuture",
    "RemoteRun",
    "SharedPart",
    "flush_records",
    "pack",
    "run_parcel",
    "shared_part",
    "told",
]
