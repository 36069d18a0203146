"""Results that are kept when a run has ended, and runs that need not run because their result is kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from prefect import results
from prefect.context.runs import _FLOW_RUN, _TASK_RUN, FlowRunContext, TaskRunContext, carried_flow_run
from prefect.exceptions import HashError, SerializationError, StoreError
from prefect.logging.configuration import ensure_logging_setup
from prefect.logging.loggers import flow_run_logger, get_logger, task_run_logger
from prefect.results.cache_policies import DEFAULT, NO_CACHE, CachePolicy
from prefect.results.wiring import wire_results
from prefect.schemas.states import State, StateDetails, StateType
from prefect.settings import get_current_settings
from prefect.types import now

if TYPE_CHECKING:
    from prefect.engine.definition import Definition
    from prefect.tasks import Task

__all__ = [
    "cached_state",
    "choose_policy",
    "is_persisting",
    "kept",
    "kept_failure",
    "note_key",
    "prepare_results",
    "store_around",
    "unwritten",
]


def choose_policy(options: Mapping[str, Any]) -> CachePolicy:
    """Return the cache policy of a task, given its options.

    Args:
        options: `cache_policy`, `cache_key_fn` and `persist_result` count; a key function goes before a
            policy.
    """
    if options.get("persist_result") is False:
        if options.get("cache_policy") not in (None, NO_CACHE) or options.get("cache_key_fn") is not None:
            ensure_logging_setup()
            get_logger("tasks").warning(
                "A task with persist_result=False keeps no results: its cache policy is ignored."
            )
        return NO_CACHE
    if options.get("cache_key_fn") is not None:
        if options.get("cache_policy") is not None:
            get_logger("tasks").warning(
                "A task has both cache_key_fn and cache_policy: the function is used."
            )
        return CachePolicy.from_cache_key_fn(options["cache_key_fn"])
    if options.get("cache_policy") is not None:
        policy: CachePolicy = options["cache_policy"]
        return policy
    return NO_CACHE if get_current_settings().tasks.default_no_cache else DEFAULT


def is_persisting(definition: Definition, flow: FlowRunContext | None, *, is_task: bool) -> bool:
    """Whether the runs of a flow or task keep their results.

    What it says itself goes first (to name a storage, a serializer or a way to cache is to say yes); else the
    setting for tasks; else what the flow around says; else the setting for all.

    Args:
        definition: The flow or task.
        flow: The flow run around, if there is one.
        is_task: Whether it is a task.
    """
    said: bool | None = definition.persist_result
    if said is None and is_task:
        said = get_current_settings().tasks.default_persist_result
    around = flow or carried_flow_run()
    if said is None and around is not None:
        said = around.persist_result
    return get_current_settings().results.persist_by_default if said is None else said


def store_around(flow: FlowRunContext | None) -> results.ResultStore:
    """Return the result store of the flow run around, or one made from the settings."""
    store: results.ResultStore | None = flow.result_store if flow is not None else None
    return store or results.ResultStore()


def prepare_results(
    context: TaskRunContext, task: Task[Any, Any], flow: FlowRunContext | None, *, is_deferred: bool = False
) -> bool:
    """Give a task run's context its result store, if the run keeps its result; tells whether it does.

    Args:
        context: The context.
        task: The task.
        flow: The flow run around, if there is one.
        is_deferred: Whether another process waits for the result, which then is kept unless the task says no.
    """
    if is_deferred:
        context.persist_result = task.persist_result is not False
    else:
        context.persist_result = is_persisting(task, flow, is_task=True)
    if context.persist_result:
        context.result_store = store_around(flow).update_for_task(task)
        if is_deferred:
            context.result_store = context.result_store.for_other_processes()
    return context.persist_result


def note_key(context: TaskRunContext) -> str | None:
    """Compute the key under which a task run's result is kept, and note it with the run.

    A key that cannot be computed means that the run is not cached, and the log says why: a key made of the
    rest of the facts would give one run's result to another.

    Args:
        context: The run's context.

    Returns:
        The key; None for a run that is not cached.
    """
    task, run = context.task, context.task_run
    if task is None or run is None or task.cache_policy == NO_CACHE:
        return None
    if run.cache_key is not None:
        return run.cache_key
    if get_current_settings().tasks.disable_caching:
        return None
    try:
        run.cache_key = _key_of(context, task)
    except Exception as error:  # noqa: BLE001 - users' functions and values make the key
        _log_uncached(context, error)
        return None
    if run.cache_key is not None and task.cache_expiration is not None:
        run.cache_expiration = now() + task.cache_expiration
    return run.cache_key


def cached_state(context: TaskRunContext, details: StateDetails) -> State[Any] | None:
    """Look for a result that makes a task run unnecessary, and note the key under which its own will be kept.

    Args:
        context: The run's context.
        details: The details of the run's states.

    Returns:
        A state named Cached, or None where the run has to run.
    """
    key, task = note_key(context), context.task
    if key is None or task is None:
        return None
    refresh = get_current_settings().tasks.refresh_cache if task.refresh_cache is None else task.refresh_cache
    if refresh:
        return None
    holder = context.transaction.holder if context.transaction is not None else None
    try:
        record = context.result_store.find(key, holder)
    except Exception as error:  # noqa: BLE001 - storages may be of users' making
        _log_uncached(context, error)
        if context.task_run is not None:
            context.task_run.cache_key = context.task_run.cache_expiration = None
        return None
    if record is None:
        return None
    return State(
        type=StateType.COMPLETED,
        name="Cached",
        data=record,
        state_details=details.model_copy(update={"cache_key": key}),
    )


def _log_uncached(context: TaskRunContext, error: Exception) -> None:
    why = str(error) if isinstance(error, HashError) else repr(error)
    _logger_of(context).warning("This run is not cached: %s", why)


def _key_of(context: TaskRunContext, task: Task[Any, Any]) -> str | None:
    if task.result_storage_key is not None:
        # Where users name the file of a result, what is in that file is the result.
        key: str = context.result_store.storage_key_fn()
        return key
    flow = _FLOW_RUN.get()
    flow_parameters = flow.parameters if flow is not None else None
    return task.cache_policy.compute_key(context, context.parameters or {}, flow_parameters or {})


def kept(context: FlowRunContext | TaskRunContext, state: State[Any]) -> State[Any]:
    """Keep the result of a run that completed.

    Args:
        context: The run's context, with a result store.
        state: The run's final state.

    Returns:
        The state, saying where the result is kept. A result that cannot be kept is told of in the log, and
        the run completes all the same: its result is still here.
    """
    run = context.task_run if isinstance(context, TaskRunContext) else None
    key = run.cache_key if run is not None else None
    expiration = run.cache_expiration if run is not None else None
    try:
        record = context.result_store.write(state.data.result, key=key, expiration=expiration)
    except (
        SerializationError,
        StoreError,
        ValueError,
    ) as error:  # ValueError: no key, or one outside the storage
        _logger_of(context).error("The result of this run is not kept: %s", error)
        return state
    details = state.state_details
    if key is not None:
        details = details.model_copy(update={"cache_key": key, "cache_expiration": expiration})
    return state.model_copy(update={"data": record, "state_details": details})


def unwritten(context: TaskRunContext, state: State[Any]) -> State[Any]:
    """Say where the result of a run that completed will be kept, when its transaction is committed.

    Args:
        context: The run's context, with a result store.
        state: The run's final state.

    Returns:
        The state, saying where; as it was, for a result that cannot be kept, of which the log then tells.
    """
    run, details = context.task_run, state.state_details
    key = run.cache_key if run is not None else None
    expiration = run.cache_expiration if run is not None else None
    try:
        record = context.result_store.create_result_record(state.data.result, key, expiration)
    except (StoreError, ValueError) as error:
        _logger_of(context).error("The result of this run is not kept: %s", error)
        return state
    if key is not None:
        details = details.model_copy(update={"cache_key": key, "cache_expiration": expiration})
    return state.model_copy(update={"data": record, "state_details": details})


def kept_failure(context: TaskRunContext, state: State[Any]) -> State[Any]:
    """Keep the exception of a run that failed, for the process that waits for it.

    Args:
        context: The run's context, with a result store.
        state: The run's final state.

    Returns:
        The state, saying where the exception is kept; as it was, where it cannot be: its message says most.
    """
    try:
        record = context.result_store.write(state.data.result)
    except (SerializationError, StoreError) as error:
        _logger_of(context).debug("The exception of this run is not kept: %s", error)
        return state
    return state.model_copy(update={"data": record})


def _logger_of(context: FlowRunContext | TaskRunContext) -> Any:
    if isinstance(context, TaskRunContext) and context.task_run is not None:
        return task_run_logger(context.task_run, task=context.task)
    return flow_run_logger(getattr(context, "flow_run", None), getattr(context, "flow", None))


def _current_store() -> results.ResultStore | None:
    context = _TASK_RUN.get() or _FLOW_RUN.get()
    return context.result_store if context is not None else None


def _current_persist() -> bool | None:
    context = _TASK_RUN.get() or _FLOW_RUN.get()
    return context.persist_result if context is not None else None


def _key_names() -> Mapping[str, Any]:
    task, flow = _TASK_RUN.get(), _FLOW_RUN.get()
    return {
        "flow_run": flow.snapshot if flow is not None else None,
        "task_run": task.snapshot if task is not None else None,
        "deployment": flow.snapshot.deployment if flow is not None and flow.snapshot is not None else None,
        "parameters": (task.parameters if task is not None else flow.parameters if flow is not None else None)
        or {},
    }


wire_results(store=_current_store, persist=_current_persist, names=_key_names)
