"""Cache policies: which facts about a task run make its result one that can be used again.

A policy computes a key; a run whose key has a result uses that result. Policies are combined with `+`, and a
parameter is left out with `-`: `INPUTS + TASK_SOURCE - "verbose"`. A key that cannot be computed is an error,
so that the run is not cached: never is a key made from fewer facts than the policy names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

from prefect.exceptions import HashError
from prefect.results.task_source import hash_source
from prefect.rules.hashing import hash_arguments, hash_objects

__all__ = [
    "DEFAULT",
    "FLOW_PARAMETERS",
    "INPUTS",
    "NONE",
    "NO_CACHE",
    "RUN_ID",
    "TASK_SOURCE",
    "CacheKeyFnPolicy",
    "CachePolicy",
    "CompoundCachePolicy",
    "FlowParameters",
    "Inputs",
    "RunId",
    "TaskSource",
    "task_input_hash",
]

_SETTINGS = {
    "key_storage": "storage locations",
    "isolation_level": "isolation levels",
    "lock_manager": "lock implementations",
}


class CachePolicy:
    """Base of the cache policies. One of your own defines `compute_key`."""

    key_storage: Any = None
    """Where keys are kept, when not beside the results: a storage, or a directory."""
    isolation_level: Any = None
    """Whether runs of one key wait for each other; see `configure`."""
    lock_manager: Any = None
    """Hands out the locks for that."""

    @staticmethod
    def from_cache_key_fn(cache_key_fn: Callable[[Any, dict[str, Any]], str | None]) -> CacheKeyFnPolicy:
        """Make a policy from a function of the run's context and the arguments that returns a key or None."""
        return CacheKeyFnPolicy(cache_key_fn=cache_key_fn)

    def compute_key(
        self, task_ctx: Any, inputs: dict[str, Any], flow_parameters: dict[str, Any], **kwargs: Any
    ) -> str | None:
        """Return the key of a task run.

        Args:
            task_ctx: The task run's context, or None.
            inputs: The arguments of the task, by name.
            flow_parameters: The parameters of the flow that the task runs in.
            kwargs: Kept for facts that come later.

        Returns:
            The key; None, where the run is not to be cached, or this policy has nothing to say.

        Raises:
            prefect.exceptions.HashError: A fact that belongs in the key cannot be hashed; the text names it.
        """
        raise NotImplementedError(
            f"{type(self).__name__} does not say how it computes keys: define compute_key()."
        )

    def configure(
        self, key_storage: Any = None, lock_manager: Any = None, isolation_level: Any = None
    ) -> Self:
        """Return a copy of this policy with other settings.

        Args:
            key_storage: Where keys are kept, when not beside the results: a storage, or a directory.
            lock_manager: Hands out the locks that `SERIALIZABLE` needs, of `prefect.locking`.
            isolation_level: `SERIALIZABLE`: of the runs of one key one runs, and the others wait for its
                result. `READ_COMMITTED`: a run that begins before another's result is there runs too.

        Raises:
            ValueError: There is no such isolation level.
        """
        level = getattr(isolation_level, "value", isolation_level)
        if level not in (None, "READ_COMMITTED", "SERIALIZABLE"):
            raise ValueError(f"isolation_level is READ_COMMITTED or SERIALIZABLE, not {isolation_level!r}.")
        given = {"key_storage": key_storage, "lock_manager": lock_manager, "isolation_level": isolation_level}
        return self._changed(**{name: value for name, value in given.items() if value is not None})

    def _changed(self, **values: Any) -> Self:
        # Policies of users may be dataclasses or anything: only a plain copy keeps all that they hold.
        changed = object.__new__(type(self))
        changed.__dict__.update(self.__dict__)
        changed.__dict__.update(values)
        return changed

    def __add__(self, other: CachePolicy) -> CachePolicy:
        """Combine two policies: a result is used again only where both agree."""
        if not isinstance(other, CachePolicy):
            return NotImplemented
        settings = {name: _agree(self, other, name) for name in _SETTINGS}
        parts = [part for part in (self, other) if not isinstance(part, _None)]
        if len(parts) == 2:
            return CompoundCachePolicy(policies=parts)._changed(**settings)
        return (parts[0] if parts else self)._changed(**settings)

    def __sub__(self, other: str) -> CachePolicy:
        """Leave a parameter out of the key."""
        if not isinstance(other, str):
            raise TypeError(
                f"Only the name of a parameter can be subtracted from a cache policy, not {other!r}."
            )
        return self

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and _held(self) == _held(other)

    def __hash__(self) -> int:
        return hash(type(self))

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in _held(self).items())})"
        )


def _held(policy: object) -> dict[str, Any]:
    return {name: value for name, value in policy.__dict__.items() if value is not None}


def _agree(one: CachePolicy, other: CachePolicy, name: str) -> Any:
    a, b = getattr(one, name), getattr(other, name)
    if a is not None and b is not None and a != b:
        raise ValueError(f"Cannot add CachePolicies with different {_SETTINGS[name]}.")
    return b if a is None else a


class CacheKeyFnPolicy(CachePolicy):
    """The key is what a function of yours returns.

    Args:
        cache_key_fn: Gets the task run's context and the arguments by name; returns None for no caching.
    """

    def __init__(self, cache_key_fn: Callable[[Any, dict[str, Any]], str | None]) -> None:
        self.cache_key_fn = cache_key_fn

    def compute_key(
        self, task_ctx: Any, inputs: dict[str, Any], flow_parameters: dict[str, Any], **kwargs: Any
    ) -> str | None:
        """Return what the function returns."""
        key = self.cache_key_fn(task_ctx, inputs)
        if key is not None and not isinstance(key, str):
            raise TypeError(f"A cache_key_fn returns a text or None; this one returned {key!r}.")
        return key


class Inputs(CachePolicy):
    """The key depends on the task's arguments, by their content.

    Args:
        exclude: Names of parameters that do not count.
    """

    def __init__(self, exclude: Sequence[str] = ()) -> None:
        self.exclude = sorted(set(exclude))

    def compute_key(
        self, task_ctx: Any, inputs: dict[str, Any], flow_parameters: dict[str, Any], **kwargs: Any
    ) -> str | None:
        """Hash the arguments; None, where the task has none."""
        if not inputs:
            return None
        return _hash({name: value for name, value in inputs.items() if name not in self.exclude})

    def __sub__(self, other: str) -> Inputs:
        """Leave a parameter out of the key."""
        super().__sub__(other)
        return self._changed(exclude=sorted({*self.exclude, other}))


class TaskSource(CachePolicy):
    """The key depends on the source of the task's function; not on what the function calls or closes over."""

    def compute_key(
        self, task_ctx: Any, inputs: dict[str, Any], flow_parameters: dict[str, Any], **kwargs: Any
    ) -> str | None:
        """Hash the source; None without a context."""
        return hash_source(task_ctx.task.fn) if task_ctx else None


class RunId(CachePolicy):
    """The key depends on the flow run: results are used again within it, and by its retries, only."""

    def compute_key(
        self, task_ctx: Any, inputs: dict[str, Any], flow_parameters: dict[str, Any], **kwargs: Any
    ) -> str | None:
        """Return the flow run's id, or the task run's where there is no flow; None without a context."""
        if not task_ctx:
            return None
        run = task_ctx.task_run
        return str(run.flow_run_id or run.id)


class FlowParameters(CachePolicy):
    """The key depends on the parameters of the flow run."""

    def compute_key(
        self, task_ctx: Any, inputs: dict[str, Any], flow_parameters: dict[str, Any], **kwargs: Any
    ) -> str | None:
        """Hash the flow's parameters; None, where there are none."""
        return _hash(flow_parameters) if flow_parameters else None


class _None(CachePolicy):
    """Nothing is cached."""

    def compute_key(
        self, task_ctx: Any, inputs: dict[str, Any], flow_parameters: dict[str, Any], **kwargs: Any
    ) -> str | None:
        return None


_RANK = {TaskSource: 0, RunId: 1, FlowParameters: 2, Inputs: 4}
"""The place of the built-in policies within a sum, whatever the order they were added in; others are 3."""


class CompoundCachePolicy(CachePolicy):
    """The sum of policies: a result is used again only where all of them agree.

    Args:
        policies: The policies. Equal ones count once; excluded parameters are excluded from all.
    """

    def __init__(self, policies: Sequence[CachePolicy] = ()) -> None:
        flat: list[CachePolicy] = []
        for policy in policies:
            flat += policy.policies if isinstance(policy, CompoundCachePolicy) else [policy]
        excluded = {name for policy in flat if isinstance(policy, Inputs) for name in policy.exclude}
        self.policies: list[CachePolicy] = []
        for policy in flat:
            plain = policy._changed(**dict.fromkeys(_SETTINGS))
            if type(plain) is Inputs:
                plain = plain._changed(exclude=sorted(excluded))
            if plain not in self.policies and not isinstance(plain, _None):
                self.policies.append(plain)
        self.policies.sort(key=lambda policy: _RANK.get(type(policy), 3))

    def compute_key(
        self, task_ctx: Any, inputs: dict[str, Any], flow_parameters: dict[str, Any], **kwargs: Any
    ) -> str | None:
        """Hash the keys of all policies; None, where none of them has one."""
        keys = [policy.compute_key(task_ctx, inputs, flow_parameters, **kwargs) for policy in self.policies]
        if all(key is None for key in keys):
            return None
        # By place and with the gaps: the same texts from other policies are another key.
        return hash_objects(keys)

    def __sub__(self, other: str) -> CachePolicy:
        """Leave a parameter out of the key."""
        super().__sub__(other)
        return self._changed(policies=[policy - other for policy in self.policies])


def _hash(arguments: Mapping[str, Any]) -> str:
    try:
        return hash_arguments(arguments)
    except HashError as error:
        raise HashError(
            f"{error}. Leave it out of the key (cache_policy=DEFAULT - 'name'), compute the key yourself "
            "(cache_key_fn=...), or do not cache (cache_policy=NO_CACHE)."
        ) from error


def task_input_hash(context: Any, arguments: dict[str, Any]) -> str | None:
    """Compute a key from the task, its source and its arguments; for `@task(cache_key_fn=task_input_hash)`.

    Args:
        context: The task run's context.
        arguments: The task's arguments by name.

    Raises:
        prefect.exceptions.HashError: An argument cannot be hashed; the text names it.
    """
    return hash_objects(context.task.task_key, hash_source(context.task.fn), _hash(arguments))


INPUTS = Inputs()
TASK_SOURCE = TaskSource()
RUN_ID = RunId()
FLOW_PARAMETERS = FlowParameters()
NONE = _None()
NO_CACHE = NONE
DEFAULT = INPUTS + TASK_SOURCE + RUN_ID
