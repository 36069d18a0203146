"""`RunInput`, the base of the models that flow runs are sent."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Hashable, Mapping
from functools import cache
from inspect import isclass
from typing import Any, ClassVar, Generic, Self, TypeVar, cast, get_origin
from uuid import UUID, uuid4

import pydantic
from pydantic.fields import ModelPrivateAttr

from prefect.exceptions import ObjectAlreadyExists
from prefect.input.actions import (
    create_flow_run_input,
    create_flow_run_input_from_model,
    ensure_flow_run_id,
    read_flow_run_input,
)
from prefect.input.keys import Keyset, keyset_from_base_key
from prefect.input.receiving import GetInputHandler
from prefect.schemas.asynchrony import is_async_here
from prefect.schemas.inputs import FlowRunInput

__all__ = [
    "AutomaticRunInput",
    "BaseRunInput",
    "RunInput",
    "RunInputMetadata",
    "asend_input",
    "receive_input",
    "run_input_subclass_from_type",
    "send_input",
]

T = TypeVar("T")


class RunInputMetadata(pydantic.BaseModel):
    """Where an input came from."""

    key: str
    sender: str | None = None
    receiver: UUID


class BaseRunInput(pydantic.BaseModel):
    """What all inputs can do."""

    model_config: ClassVar[pydantic.ConfigDict] = pydantic.ConfigDict(extra="forbid")

    _description: str | None = pydantic.PrivateAttr(default=None)
    _metadata: RunInputMetadata | None = pydantic.PrivateAttr(default=None)

    @property
    def metadata(self) -> RunInputMetadata:
        """Where the input came from.

        Raises:
            RuntimeError: It was made here, and not sent.
        """
        if self._metadata is None:
            raise RuntimeError("Only an input that was received has metadata.")
        return self._metadata

    @classmethod
    def keyset_from_type(cls) -> Keyset:
        """Return the keys of the type's own name."""
        return keyset_from_base_key(cls.__name__.lower())

    @classmethod
    def save(cls, keyset: Keyset, flow_run_id: UUID | None = None) -> Any:
        """Say of a flow run what it waits for; async code has to await it.

        Args:
            keyset: Under which keys.
            flow_run_id: The run; None: the current one.
        """
        if is_async_here():
            return cls.asave(keyset, flow_run_id)
        return cls._save(keyset, ensure_flow_run_id(flow_run_id))

    @classmethod
    async def asave(cls, keyset: Keyset, flow_run_id: UUID | None = None) -> None:
        """Say of a flow run what it waits for; as `save`, for async code."""
        await asyncio.to_thread(cls._save, keyset, ensure_flow_run_id(flow_run_id))

    @classmethod
    def _save(cls, keyset: Keyset, flow_run_id: UUID) -> None:
        # What an attempt before has written is the same.
        _create_once(keyset["schema"], cls.model_json_schema(mode="validation"), flow_run_id)
        description = cls.__private_attributes__["_description"].get_default()
        if description:
            _create_once(keyset["description"], description, flow_run_id)

    @classmethod
    def load(cls, keyset: Keyset, flow_run_id: UUID | None = None) -> Any:
        """Return what a flow run was answered; async code has to await it.

        Args:
            keyset: Under which keys.
            flow_run_id: The run; None: the current one.
        """
        if is_async_here():
            return cls.aload(keyset, flow_run_id)
        return cls._load(keyset, ensure_flow_run_id(flow_run_id))

    @classmethod
    async def aload(cls, keyset: Keyset, flow_run_id: UUID | None = None) -> Any:
        """Return what a flow run was answered; as `load`, for async code."""
        return await asyncio.to_thread(cls._load, keyset, ensure_flow_run_id(flow_run_id))

    @classmethod
    def _load(cls, keyset: Keyset, flow_run_id: UUID) -> Any:
        answer = read_flow_run_input(keyset["response"], flow_run_id)
        made = cls(**answer) if answer else cls()
        made._metadata = RunInputMetadata(key=keyset["response"], sender=None, receiver=flow_run_id)
        return made

    @classmethod
    def load_from_flow_run_input(cls, flow_run_input: FlowRunInput) -> Self:
        """Make the model of an input as it was kept.

        Args:
            flow_run_input: The input.
        """
        made = cls.model_validate_json(flow_run_input.value)
        made._metadata = RunInputMetadata(
            key=flow_run_input.key, sender=flow_run_input.sender, receiver=flow_run_input.flow_run_id
        )
        return made

    @classmethod
    def with_initial_data(cls, description: str | None = None, **kwargs: Any) -> type[Self]:
        """Return the model with other defaults, and a description for people.

        Args:
            description: What is asked, as Markdown.
            **kwargs: The defaults of fields.
        """
        fields: dict[str, Any] = {
            name: (cls.model_fields[name].annotation, value) for name, value in kwargs.items()
        }
        made = pydantic.create_model(cls.__name__, __base__=cls, **fields)
        if description is not None:
            made.__private_attributes__["_description"] = ModelPrivateAttr(default=description)
        return made

    def respond(self, run_input: Any, sender: str | None = None, key_prefix: str | None = None) -> Any:
        """Send something to the run that this input came from; async code has to await it.

        Args:
            run_input: What to send.
            sender: Who sends it; None: in a run, that.
            key_prefix: What its key starts with; None: as its type has it.

        Raises:
            RuntimeError: This input did not come from a flow run.
        """
        if is_async_here():
            return self.arespond(run_input, sender, key_prefix)
        _send(run_input, self._sender_id(), sender, key_prefix)
        return None

    async def arespond(
        self, run_input: Any, sender: str | None = None, key_prefix: str | None = None
    ) -> None:
        """Send something to the run that this input came from; as `respond`, for async code."""
        await asyncio.to_thread(_send, run_input, self._sender_id(), sender, key_prefix)

    def _sender_id(self) -> UUID:
        prefix, _, run_id = (self.metadata.sender or "").rpartition(".")
        if prefix != "prefect.flow-run":
            raise RuntimeError("Only to an input that came from a flow run one can respond.")
        return UUID(run_id)

    def send_to(self, flow_run_id: UUID, sender: str | None = None, key_prefix: str | None = None) -> Any:
        """Send this input to a flow run; async code has to await it.

        Args:
            flow_run_id: The run.
            sender: Who sends it; None: in a run, that.
            key_prefix: What its key starts with; None: as its type has it.
        """
        return send_input(self, flow_run_id, sender, key_prefix)

    async def asend_to(
        self, flow_run_id: UUID, sender: str | None = None, key_prefix: str | None = None
    ) -> None:
        """Send this input to a flow run; as `send_to`, for async code."""
        await asend_input(self, flow_run_id, sender, key_prefix)


class RunInput(BaseRunInput):
    """Base of the models that flow runs are sent, and that paused ones wait for."""

    @classmethod
    def receive(
        cls,
        timeout: float | None = 3600,
        poll_interval: float = 10,
        raise_timeout_error: bool = False,
        exclude_keys: Collection[str] | None = None,
        key_prefix: str | None = None,
        flow_run_id: UUID | None = None,
    ) -> GetInputHandler[Self]:
        """Wait for inputs of this type; see `receive_input`."""
        return GetInputHandler(
            cls,
            key_prefix or _prefix_of(cls),
            timeout,
            poll_interval,
            raise_timeout_error,
            exclude_keys,
            flow_run_id,
        )

    @classmethod
    def subclass_from_base_model_type(cls, model_cls: type[pydantic.BaseModel]) -> type[RunInput]:
        """Return an input with the fields of a pydantic model.

        Args:
            model_cls: The model.
        """
        return cast(type[RunInput], type(f"{model_cls.__name__}RunInput", (RunInput, model_cls), {}))


class AutomaticRunInput(BaseRunInput, Generic[T]):
    """An input of a plain type: a text, a number, a list."""

    value: T

    @classmethod
    def _load(cls, keyset: Keyset, flow_run_id: UUID) -> Any:
        return super()._load(keyset, flow_run_id).value

    @classmethod
    def subclass_from_type(cls, _type: type[T]) -> type[AutomaticRunInput[T]]:
        """Return the input of a plain type.

        Args:
            _type: The type.
        """
        origin = get_origin(_type) or _type
        name = f"{getattr(origin, '__name__', str(origin))}AutomaticRunInput"
        fields: dict[str, Any] = {"value": (_type, ...)}
        return pydantic.create_model(name, __base__=AutomaticRunInput, **fields)

    @classmethod
    def receive(
        cls,
        timeout: float | None = 3600,
        poll_interval: float = 10,
        raise_timeout_error: bool = False,
        exclude_keys: Collection[str] | None = None,
        key_prefix: str | None = None,
        flow_run_id: UUID | None = None,
        with_metadata: bool = False,
    ) -> GetInputHandler[Any]:
        """Wait for inputs of this type; see `receive_input`."""
        return GetInputHandler(
            cls,
            key_prefix or _prefix_of(cls),
            timeout,
            poll_interval,
            raise_timeout_error,
            exclude_keys,
            flow_run_id,
            unwraps=not with_metadata,
        )


@cache
def _automatic(kind: Any) -> type[AutomaticRunInput[Any]]:
    return AutomaticRunInput.subclass_from_type(kind)


def run_input_subclass_from_type(_type: Any) -> Any:
    """Return the input that stands for a type.

    Args:
        _type: A `RunInput`, any pydantic model, an instance of one (its fields are then the defaults), or a
            plain type.
    """
    if isclass(_type) and get_origin(_type) is None:
        if issubclass(_type, BaseRunInput):
            return _type
        if issubclass(_type, pydantic.BaseModel):
            return RunInput.subclass_from_base_model_type(_type)
    elif isinstance(_type, pydantic.BaseModel):
        kind = run_input_subclass_from_type(type(_type))
        return kind.with_initial_data(**_type.model_dump())
    return _automatic(_type)


def send_input(
    run_input: Any, flow_run_id: UUID, sender: str | None = None, key_prefix: str | None = None
) -> Any:
    """Send something to a flow run; async code has to await it.

    Args:
        run_input: An input, or a plain value.
        flow_run_id: The run.
        sender: Who sends it; None: in a run, that.
        key_prefix: What its key starts with; None: as its type has it.
    """
    if is_async_here():
        return asend_input(run_input, flow_run_id, sender, key_prefix)
    _send(run_input, flow_run_id, sender, key_prefix)
    return None


async def asend_input(
    run_input: Any, flow_run_id: UUID, sender: str | None = None, key_prefix: str | None = None
) -> None:
    """Send something to a flow run; as `send_input`, for async code."""
    await asyncio.to_thread(_send, run_input, flow_run_id, sender, key_prefix)


def receive_input(
    input_type: Any,
    timeout: float | None = 3600,
    poll_interval: float = 10,
    raise_timeout_error: bool = False,
    exclude_keys: Collection[str] | None = None,
    key_prefix: str | None = None,
    flow_run_id: UUID | None = None,
    with_metadata: bool = False,
) -> GetInputHandler[Any]:
    """Wait for what is sent to a flow run: an iterator, for plain and for async loops.

    Args:
        input_type: What is waited for: a `RunInput`, any pydantic model, or a plain type.
        timeout: Seconds to wait for each; None: for as long as it takes.
        poll_interval: Seconds from one look to the next.
        raise_timeout_error: Whether the loop ends in an error when the time is up; else it just ends.
        exclude_keys: Keys to pass over.
        key_prefix: What the keys start with; None: as the type has it.
        flow_run_id: The run; None: the current one.
        with_metadata: Of a plain type: whether to give inputs, which say who sent them, instead of values.
    """
    kind = run_input_subclass_from_type(input_type)
    options: dict[str, Any] = {
        "timeout": timeout,
        "poll_interval": poll_interval,
        "raise_timeout_error": raise_timeout_error,
        "exclude_keys": exclude_keys,
        "key_prefix": key_prefix,
        "flow_run_id": flow_run_id,
    }
    if issubclass(kind, AutomaticRunInput):
        options["with_metadata"] = with_metadata
    return cast(GetInputHandler[Any], kind.receive(**options))


def _send(run_input: Any, flow_run_id: UUID, sender: str | None, key_prefix: str | None) -> None:
    if not isinstance(run_input, BaseRunInput):
        if isinstance(run_input, pydantic.BaseModel):
            kind = RunInput.subclass_from_base_model_type(type(run_input))
            run_input = kind(**run_input.model_dump())
        else:
            run_input = _automatic(cast(Hashable, type(run_input)))(value=run_input)
    key = f"{key_prefix or _prefix_of(type(run_input))}-{uuid4()}"
    create_flow_run_input_from_model(key, run_input, ensure_flow_run_id(flow_run_id), sender)


def _prefix_of(kind: type[BaseRunInput]) -> str:
    return f"{kind.__name__.lower()}-auto"


def _create_once(key: str, value: Any, flow_run_id: UUID) -> None:
    try:
        create_flow_run_input(key, cast(Mapping[str, Any], value), flow_run_id)
    except ObjectAlreadyExists:
        return
