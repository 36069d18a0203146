"""What flows and tasks are given."""

import dataclasses
import datetime
import enum
import uuid
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Optional

import pydantic

from prefect import flow, task


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Config(pydantic.BaseModel):
    name: str
    retries: int = 3
    tags: list[str] = []


class Nested(pydantic.BaseModel):
    config: Config
    since: datetime.date


@dataclasses.dataclass
class Point:
    x: int
    y: int = 0


class Pair(NamedTuple):
    left: int
    right: str


def attempt(called: Any, *args: Any, **kwargs: Any) -> None:
    try:
        print(repr(called(*args, **kwargs)))
    except Exception as error:
        print(type(error).__name__)


def program_coercion() -> None:
    @flow
    def run(n: int, ratio: float = 0.5, yes: bool = False, text: str = "t") -> Any:
        return n, ratio, yes, text

    print(run("5"), run(2, "1.5", "true"), run(3.0, 1), run(n="7", yes="no"))  # type: ignore[arg-type]
    attempt(run, "five")
    attempt(run, 1.5)
    attempt(run, 1, text=5)
    attempt(run, None)


def program_without_validation() -> None:
    @flow(validate_parameters=False)
    def run(n: int) -> Any:
        return n

    print(repr(run("5")))  # type: ignore[arg-type]


def program_tasks_do_not_validate() -> None:
    @task
    def work(n: int) -> Any:
        return n

    print(repr(work("5")))  # type: ignore[arg-type]


def program_pydantic_models() -> None:
    @flow
    def run(config: Config) -> Any:
        return type(config).__name__, config.name, config.retries, config.tags

    print(run(Config(name="a")), run({"name": "b", "retries": "4"}))  # type: ignore[arg-type]
    attempt(run, {"retries": 1})
    attempt(run, 5)


def program_nested_models() -> None:
    @flow
    def run(nested: Nested, many: list[Config]) -> Any:
        return nested.config.name, nested.since, [config.retries for config in many]

    print(run({"config": {"name": "n"}, "since": "2024-02-29"}, [{"name": "x"}, Config(name="y", retries=9)]))  # type: ignore[arg-type, list-item]


def program_dataclasses() -> None:
    @flow
    def run(point: Point) -> Any:
        return point, type(point).__name__

    print(run(Point(1, 2)), run({"x": "3"}))  # type: ignore[arg-type]


def program_enums() -> None:
    @flow
    def run(color: Color, level: Level = Level.LOW, mode: Literal["fast", "slow"] = "fast") -> Any:
        return color, level, mode

    print(run(Color.RED), run("blue", 2, "slow"))  # type: ignore[arg-type]
    attempt(run, "green")
    attempt(run, Color.RED, mode="medium")


def program_dates() -> None:
    @flow
    def run(
        day: datetime.date, at: datetime.datetime | None = None, every: datetime.timedelta | None = None
    ) -> Any:
        return day, at, every

    print(run(datetime.date(2024, 1, 2)))
    print(run("2024-01-02", "2024-01-02T03:04:05+00:00", 90))  # type: ignore[arg-type]
    print(run("2024-01-02", "2024-01-02 03:04", "PT5M"))  # type: ignore[arg-type]
    attempt(run, "yesterday")


def program_containers() -> None:
    @flow
    def run(
        names: list[str],
        counts: dict[str, int],
        unique: set[int] = set(),
        pair: tuple[int, str] = (1, "a"),
        rest: tuple[int, ...] = (),
    ) -> Any:
        return names, counts, sorted(unique), pair, rest

    print(run(["a"], {"b": "2"}), run(("x",), {}, [3, 3, "4"], [5, "five"], ["1", 2]))  # type: ignore[arg-type]
    attempt(run, "abc", {})
    attempt(run, [1], {})


def program_optional_and_unions() -> None:
    @flow
    def run(a: Optional[int] = None, b: int | str = "x", c: "int | None" = 3, d: Any = None) -> Any:
        return a, b, c, d

    print(run(), run("1", "2", None, print is print), run(None, 5))  # type: ignore[arg-type]


def program_special_types() -> None:
    @flow
    def run(id: uuid.UUID, path: Path, price: Decimal, raw: bytes = b"") -> Any:
        return id.int, path.as_posix(), price, raw

    print(run("00000000-0000-0000-0000-00000000000a", "data/x.csv", "1.50", "text"))  # type: ignore[arg-type]
    print(run(uuid.UUID(int=1), Path("b"), Decimal(2)))


def program_named_tuples() -> None:
    @flow
    def run(pair: Pair) -> Any:
        return pair, type(pair).__name__

    print(run(Pair(1, "a")), run((2, "b")))  # type: ignore[arg-type]


def program_annotated() -> None:
    @flow
    def run(n: Annotated[int, pydantic.Field(gt=0)], email: Annotated[str, "just a note"] = "e") -> Any:
        return n, email

    print(run(1))
    attempt(run, 0)


def program_pydantic_field_defaults() -> None:
    @flow
    def run(n: int = pydantic.Field(default=5, description="how many")) -> Any:
        return n

    attempt(run)
    attempt(run, 6)


def program_any_object() -> None:
    class Thing:
        pass

    @flow
    def run(thing: Thing, other: object = None, untyped=1) -> Any:  # type: ignore[no-untyped-def]
        return type(thing).__name__, other, untyped

    print(run(Thing()), run(Thing(), Color.RED, untyped=[1]))
    attempt(run, 5)


def program_variadic() -> None:
    @flow
    def run(*args: int, **kwargs: str) -> Any:
        return args, kwargs

    @task
    def work(first: int, *rest: int, key: int = 0, **more: Any) -> Any:
        return first, rest, key, more

    @flow
    def submitting() -> Any:
        return work.submit(1, 2, z=3).result()

    print(run(1, 2, a="b"), run())
    print(work(1, 2, 3, key=4, other=5), work(1), submitting())


def program_positional_and_keyword_only() -> None:
    @flow
    def run(a: int, /, b: int, *, c: int = 3) -> Any:
        return a, b, c

    print(run(1, 2), run(1, b=2, c=4))
    attempt(run, 1, 2, 3)
    attempt(run, b=1)


def program_wrong_calls() -> None:
    @flow
    def run(a: int, b: int = 2) -> Any:
        return a, b

    @task
    def work(a: int) -> Any:
        return a

    for call in (
        lambda: run(),  # type: ignore[call-arg]
        lambda: run(1, 2, 3),  # type: ignore[call-arg]
        lambda: run(1, c=4),  # type: ignore[call-arg]
        lambda: work(),  # type: ignore[call-arg]
        lambda: work.submit(1, 2),  # type: ignore[call-arg]
        lambda: work.map(b=[1]),
    ):
        attempt(call)


def program_defaults_are_not_shared() -> None:
    @flow
    def run(xs: list[int] = []) -> list[int]:
        xs.append(1)
        return xs

    print(run(), run())


def program_failed_validation_is_a_state() -> None:
    called: list[int] = []

    @flow
    def run(n: int) -> None:
        called.append(n)

    state = run("x", return_state=True)  # type: ignore[call-overload]
    print(state.name, state.type.value, state.message.splitlines()[0], called)
    print(type(state.result(raise_on_failure=False)).__name__)


def program_validators_of_pydantic() -> None:
    class Range(pydantic.BaseModel):
        low: int
        high: int

        @pydantic.model_validator(mode="after")
        def check(self) -> "Range":
            if self.low > self.high:
                raise ValueError("low must not be above high")
            return self

    @flow
    def run(range: Range) -> int:
        return range.high - range.low

    print(run({"low": 1, "high": 3}))  # type: ignore[arg-type]
    attempt(run, {"low": 3, "high": 1})


def program_secret_parameters() -> None:
    @flow
    def run(password: pydantic.SecretStr) -> Any:
        return password, password.get_secret_value()

    print(run("hunter2"), run(pydantic.SecretStr("x")))  # type: ignore[arg-type]


def program_reserved_names() -> None:
    def reserved(wait_for: int) -> None: ...

    def returning(return_state: int) -> None: ...

    for decorate in (flow, task):
        for function in (reserved, returning):
            try:
                decorate(function)
                print("taken")
            except Exception as error:
                print(type(error).__name__)


def program_wrong_options() -> None:
    for make in (
        lambda: flow(name="a/b")(lambda: 1),
        lambda: flow(5),
        lambda: task("x"),
        lambda: flow(on_completion=5)(lambda: 1),
        lambda: task(on_failure=[5])(lambda: 1),
        lambda: flow(nonsense=1)(lambda: 1),
        lambda: task(nonsense=1)(lambda: 1),
        lambda: task(retry_condition_fn=5)(lambda: 1),
        lambda: flow(flow_run_name=5)(lambda: 1),
        lambda: task(retry_jitter_factor=-1)(lambda: 1),
        lambda: flow(name=5)(lambda: 1),
    ):
        try:
            made = make()
            print("made", made.name)
        except Exception as error:
            print(type(error).__name__)
