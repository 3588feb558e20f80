"""The list of metrics: one function a number, found by name from pages, command line, exports and checks alike."""

import datetime as dt
import functools
import inspect
import re
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

import pandas as pd

from cs_metrics import periods
from cs_metrics.errors import MetricError, hint
from cs_metrics.metrics.scope import EVERYTHING, Scope
from cs_metrics.store import Store

__all__ = ["METRICS", "Metric", "Option", "find", "metric", "run"]

_FIXED = ("store", "as_of", "scope")
_TRUE, _FALSE = {"true", "yes", "1"}, {"false", "no", "0"}


@dataclass(frozen=True)
class Option:
    """One option of a metric: its name as people type it, its type and its default."""

    name: str
    argument: str
    kind: Any
    default: Any

    @property
    def is_repeatable(self) -> bool:
        """Tell whether the option may be given several times."""
        return get_origin(self.kind) is tuple

    @property
    def choices(self) -> tuple[str, ...]:
        """The legal words, empty where any value will do."""
        return tuple(str(one) for one in get_args(self.kind)) if get_origin(self.kind) is Literal else ()

    @property
    def says(self) -> str:
        """The option with its legal values, for help texts."""
        if self.choices:
            return f"{self.name}={'/'.join(self.choices)}"
        plain = _plain_kind(self.kind)
        return f"{self.name}={'day' if plain is dt.date else getattr(plain, '__name__', 'value')}"


@dataclass(frozen=True)
class Metric:
    """A metric: its function, the tables that it needs, the topics of the workspace that it reads, and what its docstring says."""

    name: str
    call: Callable[..., pd.DataFrame]
    needs: tuple[str, ...]
    reads: tuple[str, ...]
    page: str
    doc: str
    options: tuple[Option, ...]

    @property
    def summary(self) -> str:
        """The definition in one sentence."""
        return self.doc.split("\n\n")[0].replace("\n", " ").strip()

    @property
    def body(self) -> str:
        """The words between the first sentence and the sections."""
        parts = [part for part in self.doc.split("\n\n")[1:] if not re.match(r"^(Formula|Columns|Source):", part)]
        return "\n\n".join(parts).strip()

    @property
    def formula(self) -> str:
        """The formula in words, empty where the sentence says it all."""
        return self._section("Formula")

    @property
    def source(self) -> str:
        """Where the method comes from."""
        return self._section("Source")

    @property
    def columns(self) -> dict[str, str]:
        """What each column holds."""
        found: dict[str, str] = {}
        for line in self._section("Columns").splitlines():
            name, _, says = line.strip().partition(":")
            if says:
                found.update(dict.fromkeys((one.strip() for one in name.split(",")), says.strip()))
        return found

    def _section(self, title: str) -> str:
        match = re.search(rf"^{title}:(.*?)(?=^\w+:|\Z)", self.doc, re.MULTILINE | re.DOTALL)
        return inspect.cleandoc(match.group(1)).strip() if match else ""


METRICS: dict[str, Metric] = {}
Function = typing.TypeVar("Function", bound=Callable[..., pd.DataFrame])


def metric(*, needs: Sequence[str] = (), reads: Sequence[str] = (), page: str = "") -> Callable[[Function], Function]:
    """Register a function as a metric under its own name.

    `needs` are the contract tables without which it cannot answer: it then raises `MissingTable`. `reads` are the
    topics of the workspace that it depends on (`*`: all): an answer is good until somebody writes about one. `page` is
    the page where it is shown.
    """

    def register(function: Function) -> Function:
        @functools.wraps(function)
        def checked(store: Store, **given: Any) -> pd.DataFrame:
            for table in needs:
                store.need(table, function.__name__)
            return function(store, **given)

        METRICS[function.__name__] = Metric(
            name=function.__name__,
            call=checked,
            needs=tuple(needs),
            reads=tuple(reads),
            page=page,
            doc=inspect.cleandoc(function.__doc__ or ""),
            options=_options(function),
        )
        return typing.cast(Function, checked)

    return register


def find(name: str) -> Metric:
    """Return the metric of that name; `MetricError` with the nearest names when there is none."""
    if name not in METRICS:
        raise MetricError(f"There is no metric '{name}'.{hint(name, METRICS)}")
    return METRICS[name]


def run(
    store: Store,
    name: str,
    *,
    as_of: dt.date | None = None,
    scope: Scope = EVERYTHING,
    options: Mapping[str, Any] | None = None,
) -> pd.DataFrame:
    """Answer one metric by name.

    `as_of` is the day of knowledge, the newest day by default. `options` may hold texts (as typed by a person) or
    values; an unknown name or an impossible value is a `MetricError` that says what is legal.
    """
    chosen = find(name)
    by_name = {option.name: option for option in chosen.options}
    given: dict[str, Any] = {}
    for key, value in (options or {}).items():
        key = key.rstrip("_")
        if key not in by_name:
            raise MetricError(f"{name} has no option '{key}'.{hint(key, by_name)}")
        given[by_name[key].argument] = _convert(by_name[key], value)
    return chosen.call(store, as_of=as_of or store.newest_day, scope=scope, **given)


def _options(function: Callable[..., Any]) -> tuple[Option, ...]:
    hints = typing.get_type_hints(function)
    return tuple(
        Option(name=name.rstrip("_"), argument=name, kind=hints[name], default=parameter.default)
        for name, parameter in inspect.signature(function).parameters.items()
        if name not in _FIXED
    )


def _plain_kind(kind: Any) -> Any:
    """Strip `| None` and `tuple[…, ...]`."""
    if get_origin(kind) in (types.UnionType, typing.Union):
        return next(one for one in get_args(kind) if one is not type(None))
    return get_args(kind)[0] if get_origin(kind) is tuple else kind


def _convert(option: Option, value: Any) -> Any:
    if option.is_repeatable:
        values = value if isinstance(value, list | tuple) else [value]
        return tuple(_one(option, one) for one in values)
    if isinstance(value, list):
        if len(value) != 1:
            raise MetricError(f"Option '{option.name}' takes one value.")
        value = value[0]
    return _one(option, value)


def _one(option: Option, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if option.choices:
        if value not in option.choices:
            raise MetricError(f"{option.name}={value} is not possible.{hint(value, option.choices)}")
        return value
    kind = _plain_kind(option.kind)
    if kind is dt.date:
        return periods.day_of(value)
    if kind is bool:
        if value.lower() not in _TRUE | _FALSE:
            raise MetricError(f"{option.name}={value} is not possible: write true or false.")
        return value.lower() in _TRUE
    try:
        return kind(value)
    except ValueError:
        raise MetricError(f"{option.name}={value} is not a number.") from None
