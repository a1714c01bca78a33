"""Blocks against models of transformers that have the same weights."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from designer.core import count, edits, size
from designer.core.document import Dimension
from tests import facts
from tests.core.drawing import Drawing
from tests.export import designs
from tests.layers.bodies import interpreted
from tests.layers.test_ready import module_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

Renamed = dict[str, str]


def library() -> ModuleType:
    """The library of models, which warns of its own dependencies when it is imported."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        warnings.filterwarnings("ignore", category=FutureWarning)
        import transformers

    found: ModuleType = transformers
    return found


def renamed(name: str, names: Renamed) -> str:
    """A parameter's name in the reference: that of its longest owner in `names` is replaced."""
    owners = [mine for mine in names if name == mine or name.startswith(f"{mine}.")]
    if not owners:
        return name
    mine = max(owners, key=len)
    return f"{names[mine]}{name[len(mine) :]}".removeprefix(".")


def randomised(reference: nn.Module) -> nn.Module:
    """The reference in double precision, every parameter another random number."""
    torch.manual_seed(1)
    reference = reference.double().eval()
    with torch.no_grad():
        for parameter in reference.parameters():
            parameter.copy_(torch.randn(parameter.shape) / math.sqrt(parameter[0].numel()))
    return reference


def agree(
    drawn: Drawing,
    reference: nn.Module,
    use: Callable[..., Tensor],
    inputs: list[Tensor],
    names: Renamed | None = None,
) -> None:
    """With the reference's weights, outputs and all gradients are equal within 1e-5.

    That holds for the bodies of the blocks, read step by step, and for the exported module.
    `names` maps attributes of the design to those of the reference; `use` calls the reference.
    """
    reference = randomised(reference)
    for module in (Bodies(drawn), module_of(drawn)):
        same_values(module.double(), reference, use, inputs, {"block": "", **(names or {})})


def same_values(
    module: nn.Module,
    reference: nn.Module,
    use: Callable[..., Tensor],
    inputs: list[Tensor],
    names: Renamed,
) -> None:
    """Outputs and gradients of a module with the weights of the reference are the reference's."""
    theirs = dict(reference.named_parameters())
    pairs = {name: renamed(name, names) for name, _ in module.named_parameters()}
    assert sorted(pairs.values()) == sorted(theirs)
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            parameter.copy_(theirs[pairs[name]])
    mine = [x.clone().requires_grad_() for x in inputs]
    others = [x.clone().requires_grad_() for x in inputs]
    got, expected = module(*mine), use(*others)
    torch.testing.assert_close(got, expected, rtol=1e-5, atol=1e-5)
    direction = torch.randn(got.shape, dtype=torch.float64)
    learned = dict(module.named_parameters())
    gradients = torch.autograd.grad((got * direction).sum(), [*mine, *learned.values()])
    weights = [theirs[pairs[name]] for name in learned]
    wanted = torch.autograd.grad((expected * direction).sum(), [*others, *weights])
    for one, other in zip(gradients, wanted, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)


class Bodies(nn.Module):
    """A drawing of composites, run node by node, their bodies read and not exported."""

    def __init__(self, drawn: Drawing) -> None:
        super().__init__()
        self.drawn = drawn
        for id, finding in drawn.editor.analysis.findings.items():
            if finding.result is not None and finding.result.written is not None:
                setattr(self, drawn.editor.document.graph.nodes[id].attribute, interpreted(finding))

    def forward(self, *inputs: Tensor) -> Tensor:
        """What the drawing gives."""
        (found,) = designs.drawn(self.drawn.editor.document, self, list(inputs))
        return found


def numbers(*shape: int) -> Tensor:
    """Random numbers."""
    torch.manual_seed(2)
    return torch.randn(shape, dtype=torch.float64)


def block(kind: str, *shapes: tuple[int | str, ...], **options: Any) -> nn.Module:
    """The exported module of one block with an input for each of its first ports."""
    return module_of(drawing(kind, *shapes, **options))


def sketch() -> Drawing:
    """An empty drawing that knows of the positions S of a memory."""
    drawn = Drawing()
    drawn.do(edits.set_dimension("S", Dimension("positions of the memory", trial=5)))
    return drawn


def drawing(kind: str, *shapes: tuple[int | str, ...], **options: Any) -> Drawing:
    """One block with an input for each of its first ports."""
    drawn = sketch()
    given = [drawn.input(*shape) for shape in shapes]
    drawn.add("Output", drawn.add(kind, *given, name="block", **options))
    return drawn


def causal(length: int, window: int | None = None) -> Tensor:
    """The mask that transformers adds to scores."""
    later = torch.ones(length, length, dtype=torch.bool).triu(1)
    if window is not None:
        later = later | torch.ones(length, length, dtype=torch.bool).tril(-window)
    return torch.zeros(1, 1, length, length, dtype=torch.float64).masked_fill(later, -math.inf)


def rotary(transformers: ModuleType, family: str, name: str, config: Any, x: Tensor) -> Any:
    """Cosines and sines of positions as the family's own module makes them."""
    modeling = getattr(transformers.models, family)
    made = getattr(getattr(modeling, f"modeling_{family}"), name)(config)
    return made(x, torch.arange(x.shape[1])[None])


def shapes_of(drawn: Drawing) -> list[tuple[int | None, ...]]:
    """The shapes of all parameters."""
    rows = count.rows(drawn.editor.analysis)
    return [tuple(map(size.value, row.param.shape)) for row in rows]


def of_block(model: str, prefix: str) -> list[tuple[int, ...]]:
    """The shapes of a block of a real model."""
    return [row.shape for row in facts.block(model, prefix)]
