"""One recorded call through the catalogue: what it says, and whether that is what PyTorch says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from designer.core.building import build
from designer.core.expression import NOTHING
from designer.core.graph import Node
from designer.core.layer import CATALOGUE, Layer, Result, examine
from designer.core.size import value
from designer.core.tensor import ANYTHING, Tensor
from designer.importers.torch_ops import BadCall, Bound, Unmapped, bind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from designer.core.param import Param
    from designer.importers.torch_ops.binding import Fed, One
    from tests.truth.recorded import Case

Standing = Literal["passed", "failed", "set aside"]

FAULTS = (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError)
"""What a rule with a fault in it raises: a failed case like others."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The catalogue's refusal; `early` where it holds whatever the inputs are."""

    sentence: str
    early: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a case went; `difference` says what is not as PyTorch has it."""

    case: Case
    standing: Standing
    difference: str = ""
    mapped: bool = True
    """Whether there is a layer for the call at all; one without has failed."""


def judged(case: Case) -> Outcome:
    """The outcome of a case.

    Set aside is what PyTorch refuses for a reason that is beyond shapes (`Case.beyond_shapes`)
    and the catalogue accepts. Where a module cannot be made, the catalogue must refuse it for its
    options alone; what is refused for its inputs, it may refuse earlier.
    """
    try:
        said = answer(case)
    except Unmapped as error:
        return Outcome(case, "failed", f"not mapped: {error}", mapped=False)
    except FAULTS as error:
        return Outcome(case, "failed", f"raises {error!r}")
    if isinstance(said, Refused):
        difference = _of_refusal(case, said)
    elif case.refused:
        if case.beyond_shapes:
            return Outcome(case, "set aside")
        difference = f"accepted; PyTorch: {case.answer['error']['msg']}"
    else:
        difference = _of_result(case, *said)
    return Outcome(case, "failed" if difference else "passed", difference)


class Refusal(Exception):
    """Carries a refusal of the catalogue out of a call of several layers."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.sentence)
        self.refused = refused


def answer(case: Case) -> Refused | tuple[Bound, Result]:
    """What the catalogue says of a case. Raises Unmapped where it has no layer for it."""
    try:
        bound = bind(case.op, case.args, case.kwargs, case.inputs, case.inkw)
        return bound, _result(bound, case.training)
    except BadCall as error:
        return Refused(str(error), error.early)
    except Refusal as refusal:
        return refusal.refused


def _result(bound: Bound, training: bool) -> Result:
    """What a layer makes of its inputs, those that other layers make of theirs first."""
    node = Node("x", "x", bound.kind, tuple(bound.options.items()))
    built = build(CATALOGUE[bound.kind], node, NOTHING)
    if built.problems:
        raise Refusal(Refused(str(built.problems[0].message), early=True))
    layer = built.layer
    inputs = {port: _fed(fed, training) for port, fed in bound.inputs.items()}
    result, remarks = examine(layer, inputs)
    for remark in remarks:
        if training if remark.training else remark.severity == "error":
            raise Refusal(Refused(str(remark.message), early=_for_options(layer)))
    if result is None:
        raise AssertionError(f"{layer.kind} has neither a result nor a refusal")
    fault = bound.fault(result)
    if fault is not None:
        raise Refusal(Refused(str(fault), early=False))
    return result


def _fed(fed: Fed, training: bool) -> Tensor | tuple[Tensor, ...]:
    if isinstance(fed, tuple):
        return tuple(_one(one, training) for one in fed)
    return _one(fed, training)


def _one(one: One, training: bool) -> Tensor:
    return one if isinstance(one, Tensor) else _result(one, training).outputs[0]


def _for_options(layer: Layer) -> bool:
    """Whether a layer refuses whatever its inputs are."""
    anything: dict[str, Tensor | tuple[Tensor, ...]] = {
        port.name: (ANYTHING,) if port.variadic else ANYTHING
        for port in layer.inputs()
        if not port.optional
    }
    return examine(layer, anything).result is None


def _of_refusal(case: Case, said: Refused) -> str:
    if not case.refused:
        return f"refused: {said.sentence}"
    if case.early and not said.early:
        return f"refused for its inputs only: {said.sentence}"
    return ""


def _of_result(case: Case, bound: Bound, result: Result) -> str:
    mine = [_known(tensor) for tensor in result.outputs]
    theirs = case.outputs
    if mine != theirs:
        return f"{bound.kind} gives {_shown(mine)}; PyTorch {_shown(theirs)}"
    state = [_row(param) for param in sorted(result.params, key=lambda param: not param.persistent)]
    expected = case.state if case.op.startswith("nn.") else _held(bound, result)
    return "" if state == expected else f"{bound.kind} has {state}; PyTorch {expected}"


def _held(bound: Bound, result: Result) -> list[tuple[str, tuple[int | None, ...], str]]:
    """A function has no parameters but those that it is given."""
    return [_row(param) for param in result.params if param.name in bound.held]


def _known(tensor: Tensor) -> Tensor:
    """The tensor with numbers for sizes that have a value."""
    shape = tuple(axis if value(axis) is None else value(axis) for axis in tensor.shape)
    return Tensor(shape, tensor.dtype, tensor.partial)  # type: ignore[arg-type]


def _row(param: Param) -> tuple[str, tuple[int | None, ...], str]:
    learned = param.part != "buffer"
    mark = "p" if learned else "b" if param.persistent else "n"
    return param.name, tuple(value(axis) for axis in param.shape), mark


def _shown(tensors: Iterable[Tensor]) -> str:
    return ", ".join(f"{tensor} {tensor.dtype}" for tensor in tensors) or "nothing"
