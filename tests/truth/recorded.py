"""Files of recorded calls: JSON to the arguments that `bind` takes, and what PyTorch answered.

A case is `{"id", "op", "args", "kw", "mode", "in", "inkw"}` and `"out"` or `"error"`. A tensor is
`{"T": shape, "dtype": ...}`, built and then permuted by `"perm"`; `{"M": op}` is a module;
`{"L": [...]}` a list and a JSON list a tuple; `{"slice": [a, b, c]}`, `{"ELL": 1}`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from designer.core.tensor import Tensor
from designer.importers.torch_ops import ModuleCall

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

DTYPE = re.compile(
    r"not implemented for '|(same|output|with|input|target|expected) dtype|scalar types?\b"
    r"|should be type |of type \w+Tensor\b|boolean tensor",
    re.IGNORECASE,
)
"""What PyTorch's sentence has when it refuses a dtype."""

KERNEL = re.compile(
    r"could not create a primitive|could not construct a memory descriptor"
    r"|MKL FFT error|Only zero batch or zero channel inputs are supported"
    r"|Calculated output size[^(]*\([^)]*\b0\b[^)]*\).*too small"
)
"""What it has when one kernel library refuses and another does not.

An empty result of a transposed convolution is one: oneDNN gives it, PyTorch's own kernel does
not, and which one runs is up to sizes and threads.
"""

VALUES = re.compile(r"_lengths to have value|argument #2 'targets'|^ZeroDivisionError$")
"""What it has when the numbers in a tensor are in the way, of which a drawing knows nothing."""

LAYOUT = re.compile(r"not compatible with input tensor's size and stride")
"""What it has when the order in memory is in the way, of which a drawing says nothing."""


@dataclass(frozen=True, slots=True)
class Case:
    """One recorded call."""

    id: str
    op: str
    args: tuple[object, ...]
    kwargs: Mapping[str, object]
    inputs: tuple[object, ...]
    inkw: Mapping[str, object]
    training: bool
    answer: Mapping[str, Any]

    @property
    def refused(self) -> bool:
        """Whether PyTorch refuses it."""
        return "error" in self.answer

    @property
    def early(self) -> bool:
        """Whether PyTorch does not even make the module."""
        return self.refused and self.answer["error"]["stage"] == "init"

    @property
    def beyond_shapes(self) -> bool:
        """Whether it is refused for a dtype, by a kernel library, for the order in memory or for
        the numbers in a tensor.
        """
        if not self.refused:
            return False
        sentence = self.answer["error"]["msg"]
        return any(rule.search(sentence) for rule in (DTYPE, KERNEL, LAYOUT, VALUES))

    @property
    def outputs(self) -> list[Tensor]:
        """The tensors that PyTorch gives, those in tuples one by one."""
        return list(_tensors(self.answer["out"]))

    @property
    def state(self) -> list[tuple[str, tuple[int, ...], str]]:
        """Name, shape and kind of each parameter ("p") and buffer ("b", "n" if not kept)."""
        rows = self.answer.get("state", [])
        return [(row[0], tuple(row[1]), row[2] if len(row) > 2 else "p") for row in rows]


def read(path: Path) -> list[Case]:
    """The cases of a file. Raises OSError, ValueError or KeyError where it is no such file."""
    return [case_of(raw) for raw in json.loads(path.read_text(encoding="utf-8"))["cases"]]


def case_of(raw: Mapping[str, Any]) -> Case:
    """A case as such a file has it. Raises KeyError where it is none."""
    return Case(
        id=raw["id"],
        op=raw["op"],
        args=decoded(raw.get("args", [])),
        kwargs=_each(raw.get("kw", {})),
        inputs=decoded(raw.get("in", [])),
        inkw=_each(raw.get("inkw", {})),
        training=raw.get("mode") != "eval",
        answer=raw,
    )


def _each(values: Mapping[str, Any]) -> dict[str, object]:
    return {name: decoded(value) for name, value in values.items()}


def decoded(value: Any) -> Any:
    """One argument."""
    if isinstance(value, list):
        return tuple(decoded(part) for part in value)
    if not isinstance(value, dict):
        return value
    return next(rule(value) for key, rule in _RULES.items() if key in value)


def _tensor(value: Mapping[str, Any]) -> Tensor:
    shape = value["T"]
    order = value.get("perm", range(len(shape)))
    return Tensor(tuple(shape[axis] for axis in order), value.get("dtype", "float32"))


def _module(value: Mapping[str, Any]) -> ModuleCall:
    return ModuleCall(value["M"], decoded(value.get("args", [])), _each(value.get("kw", {})))


_RULES: dict[str, Callable[[Mapping[str, Any]], object]] = {
    "T": _tensor,
    "M": _module,
    "L": lambda value: [decoded(part) for part in value["L"]],
    "slice": lambda value: slice(*value["slice"]),
    "ELL": lambda _: ...,
}


def _tensors(out: Any) -> Iterator[Tensor]:
    if isinstance(out, list):
        yield Tensor(tuple(out))
    elif isinstance(out, dict) and "T" in out:
        yield Tensor(tuple(out["T"]), out["dtype"])
    elif isinstance(out, dict):
        for part in out["tuple"]:
            yield from _tensors(part)
