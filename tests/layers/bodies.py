"""Composites against a reference with the same weights: interpreted, and as exported modules."""

from __future__ import annotations

import copy
import math
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from designer.core import size
from designer.core.composite import Definition
from designer.core.expression import Flag
from designer.core.graph import Source
from tests.core.drawing import Drawing
from tests.layers.oracle import Interpreter, named_outputs
from tests.layers.test_ready import module_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from designer.core.code import Code
    from designer.core.composite import Step, Value
    from designer.core.finding import Finding

CLOSE: dict[str, Any] = {"rtol": 1e-5, "atol": 1e-5}


class Reading(Interpreter):
    """Runs a layer's code with a module that exists already; a composite is a Body."""

    def __init__(self, code: Code, values: Mapping[str, Any], module: Any) -> None:
        self.source = code
        self.values = values
        self.module = module

    def run(self, expression: Any) -> Any:
        """The value of an expression."""
        if isinstance(expression, Flag):
            return bool(expression)
        if isinstance(expression, Definition):
            return lambda *_, **__: Body(expression)
        return super().run(expression)

    def made(self) -> Any:
        """The module that the code makes."""
        return self.run(self.source.make)


class Body(nn.Module):
    """The body of a composite, step by step as it was drawn, without code in between."""

    def __init__(self, definition: Definition) -> None:
        super().__init__()
        self.net = definition.net
        for step in self.net.steps:
            code = step.result.written
            if code is not None and code.make is not None:
                setattr(self, step.name, Reading(code, {}, None).made())

    def forward(self, *args: Tensor, **kwargs: Tensor) -> Any:
        """The values that the body returns, one or several."""
        given = dict(zip(self.net.given, args, strict=False)) | kwargs
        values = {self.net.given[port].source: value for port, value in given.items()}
        for step in self.net.steps:
            values |= self._outputs(step, values)
        returned = [values[value.source] for value in self.net.returned]
        return returned[0] if len(returned) == 1 else tuple(returned)

    def _outputs(self, step: Step, values: Mapping[Source, Any]) -> dict[Source, Any]:
        code = step.result.written
        assert code is not None
        arrived = {port: _arrived(several, values) for port, several in step.inputs.items()}
        value = Reading(code, arrived, getattr(self, step.name, None)).use()
        named = named_outputs(code.returns or next(iter(step.outputs)), value)
        return {Source(step.id, port): tensor for port, tensor in named.items()}


def _arrived(several: tuple[Value, ...], values: Mapping[Source, Any]) -> Any:
    found = [values[value.source] for value in several]
    return found if len(found) > 1 else found[0]


def drawn(kind: str, *inputs: Tensor, **options: Any) -> tuple[Drawing, Finding]:
    """A composite named `block` with inputs of these shapes, all with a free batch."""
    drawing = Drawing()
    sources = [drawing.input("B", *tensor.shape[1:], dtype=_dtype(tensor)) for tensor in inputs]
    block = drawing.add(kind, *sources, name="block", **options)
    drawing.add("Output", block)
    return drawing, drawing.finding(block)


def _dtype(tensor: Tensor) -> str:
    return "float32" if tensor.is_floating_point() else "int64"


def interpreted(finding: Finding) -> nn.Module:
    """The body of a composite, interpreted."""
    assert finding.result is not None
    code = finding.result.written
    assert code is not None
    body = Reading(code, {}, None).made()
    assert isinstance(body, Body)
    return body


def images(*shape: int) -> Tensor:
    """Random numbers of this shape."""
    return torch.randn(shape, dtype=torch.float64)


def scattered(reference: nn.Module) -> nn.Module:
    """The reference in float64, with random weights of a size that keeps values near 1."""
    reference = reference.double()
    with torch.no_grad():
        for parameter in reference.parameters():
            spread = math.sqrt(parameter[0].numel()) if parameter.dim() > 1 else 2
            parameter.copy_(torch.randn(parameter.shape) / spread)
        for name, statistic in reference.named_buffers():
            if name.endswith("running_var"):
                statistic.copy_(0.5 + torch.rand(statistic.shape))
            elif name.endswith("running_mean"):
                statistic.copy_(torch.randn(statistic.shape))
    return reference


def agreed(
    kind: str,
    reference: nn.Module,
    *inputs: Tensor,
    ours: Callable[[str], str] = str,
    **options: Any,
) -> Drawing:
    """Hold a composite against a reference with the same weights, in training and evaluation.

    `ours` gives our name of one of its tensors. Compared are outputs, gradients of inputs and
    weights and the running statistics that training leaves, of the interpreted body and of the
    exported module; and the operations.
    """
    torch.manual_seed(1)
    drawing, finding = drawn(kind, *inputs, **options)
    reference = scattered(reference)
    state = {ours(name): tensor for name, tensor in reference.state_dict().items()}
    module = module_of(drawing)
    same_operations(finding, module, inputs)
    for mine, prefix in ((interpreted(finding).double(), ""), (module.double(), "block.")):
        own = mine.state_dict()
        given = {f"{prefix}{name}": tensor for name, tensor in state.items()}
        mine.load_state_dict({name: fitted(t, own[name].shape) for name, t in given.items()})
        paired = {f"{prefix}{ours(name)}": name for name in reference.state_dict()}
        for training in (False, True):
            theirs = copy.deepcopy(reference).train(training)
            same_values(mine.train(training), theirs, inputs, paired)
            left = theirs.state_dict()
            for name, tensor in mine.state_dict().items():
                expected = fitted(left[paired[name]], tensor.shape)
                torch.testing.assert_close(tensor, expected, **CLOSE)
    return drawing


def same_values(
    mine: nn.Module,
    theirs: nn.Module,
    inputs: tuple[Tensor, ...],
    paired: Mapping[str, str],
) -> None:
    """Outputs and gradients are equal; `paired` has the reference's name of each of our weights."""
    one, other = learning(inputs), learning(inputs)
    got, expected = mine(*one), theirs(*other)
    torch.testing.assert_close(got, expected, **CLOSE)
    direction = torch.randn(got.shape, dtype=torch.float64)
    (got * direction).sum().backward()
    (expected * direction).sum().backward()
    wanted = dict(theirs.named_parameters())
    pairs = [(p, wanted[paired[name]]) for name, p in mine.named_parameters()]
    for a, b in (*zip(one, other, strict=True), *pairs):
        assert (a.grad is None) == (b.grad is None)
        if a.grad is not None and b.grad is not None:
            torch.testing.assert_close(a.grad, fitted(b.grad, a.shape), **CLOSE)
    mine.zero_grad()


def fitted(tensor: Tensor, shape: torch.Size) -> Tensor:
    """A tensor of the reference in our shape, which may have further axes of one element."""
    assert tensor.shape == shape[: tensor.dim()]
    return tensor.reshape(shape)


def learning(inputs: tuple[Tensor, ...]) -> list[Tensor]:
    """The inputs, with gradients where they are floats."""
    return [x.clone().requires_grad_(x.is_floating_point()) for x in inputs]


def same_operations(finding: Finding, module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
    """The operations of the drawing are those that PyTorch counts."""
    assert finding.result is not None
    expected = size.value(size.substitute(finding.result.flops, {"B": inputs[0].shape[0]}))
    on_meta = copy.deepcopy(module).to("meta")
    given = [x.to("meta", torch.float32 if x.is_floating_point() else x.dtype) for x in inputs]
    with FlopCounterMode(display=False) as counter:
        on_meta(*given)
    assert int(counter.get_total_flops()) == expected
