"""Mamba against transformers' model and an independent scan, with the same weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch

from designer.core import cost, count
from tests.core.drawing import Drawing
from tests.layers.bodies import agreed, images
from tests.layers.oracle import check, refusal, t, verdict
from tests.layers.test_ready import drawing_of, module_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

SIZES = {"hidden_size": 12, "state_size": 4, "conv_kernel": 3, "time_step_rank": 5}


@pytest.fixture(scope="module")
def block() -> Callable[..., Any]:
    """Makes a block of transformers' Mamba."""
    from transformers import MambaConfig
    from transformers.models.mamba.modeling_mamba import MambaBlock

    def make(**changed: Any) -> Any:
        return MambaBlock(MambaConfig(**{**SIZES, "num_hidden_layers": 1, **changed}), 0)

    return make


def ours(changed: dict[str, Any]) -> dict[str, Any]:
    """Our options for those of a config."""
    names = {"state_size": "d_state", "conv_kernel": "d_conv", "time_step_rank": "dt_rank"}
    names = {**names, "use_bias": "bias", "use_conv_bias": "conv_bias"}
    return {names[key]: value for key, value in changed.items() if key in names}


CASES: list[dict[str, Any]] = [
    {},
    {"use_bias": True, "use_conv_bias": False},
    {"conv_kernel": 1, "state_size": 1},
    {"time_step_rank": 1, "state_size": 16, "conv_kernel": 4},
]


@pytest.mark.parametrize("changed", CASES)
def test_mixer(changed: dict[str, Any], block: Callable[..., Any]) -> None:
    options = ours({**SIZES, **changed})
    agreed("MambaMixer", block(**changed).mixer, images(2, 7, 12), **options)


def test_mixer_of_another_width(block: Callable[..., Any]) -> None:
    options = ours(SIZES)
    reference = block(expand=3).mixer
    drawing = agreed("MambaMixer", reference, images(2, 5, 12), d_inner=36, **options)
    assert drawing.parameters == sum(p.numel() for p in reference.parameters())


def test_block(block: Callable[..., Any]) -> None:
    agreed("MambaBlock", block(), images(2, 6, 12), **ours(SIZES))


def scanned(x: Tensor, delta: Tensor, a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """The scan as a sum over all earlier positions: c exp(a ∑ Δ) Δ b x."""
    until = delta.cumsum(1)
    places = range(x.shape[1])
    found = torch.zeros_like(x)
    for here in places:
        for before in range(here + 1):
            kept = torch.exp((until[:, here] - until[:, before]).unsqueeze(-1) * a)
            came = (delta[:, before] * x[:, before]).unsqueeze(-1) * b[:, before].unsqueeze(1)
            found[:, here] += (kept * came * c[:, here].unsqueeze(1)).sum(-1)
    return found


@pytest.mark.parametrize("positions", [1, 2, 6])
@pytest.mark.parametrize("state", [1, 4])
def test_the_scan_is_the_sum_over_what_came_before(positions: int, state: int) -> None:
    rows, inner = t(2, positions, 3), t(2, positions, state)
    fed = (rows, rows, t(3, state), inner, inner)
    check("SelectiveScan", {}, *fed, reference=lambda: scanned, flops=False, weaker=False)


def test_gradients_of_the_scan_are_exact() -> None:
    drawing = drawing_of("MambaMixer", "B", "T", 4, d_state=2, d_inner=3, dt_rank=1)
    module = module_of(drawing).double()
    x = images(1, 4, 4).requires_grad_()
    assert torch.autograd.gradcheck(module, (x,))


def test_the_mixer_looks_back_only() -> None:
    module = module_of(drawing_of("MambaBlock", "B", "T", 8)).double()
    x = images(1, 6, 8)
    changed = x.clone()
    changed[:, 4:] += 1
    torch.testing.assert_close(module(x)[:, :4], module(changed)[:, :4])
    assert not torch.allclose(module(x)[:, 4:], module(changed)[:, 4:])


def test_a_new_mixer_forgets_at_different_rates() -> None:
    module = module_of(drawing_of("MambaMixer", "B", "T", 8, d_state=3))
    state = module.state_dict()
    logs = torch.log(torch.tensor([1.0, 2.0, 3.0])).expand(16, 3)
    torch.testing.assert_close(state["block.A_log"], logs)
    torch.testing.assert_close(state["block.D"], torch.ones(16))


def test_mamba_130m() -> None:
    drawing = Drawing()
    x = head = drawing.add(
        "Embedding", drawing.input("B", "T", dtype="int64"), num_embeddings=50280, embedding_dim=768
    )
    for _ in range(24):
        x = drawing.add("MambaBlock", x)
    x = drawing.add("RMSNorm", x, eps=1e-5)
    x = drawing.add("Linear", x, out_features=50280, bias=False)
    drawing.tie(x, head)
    drawing.add("Output", x)
    assert drawing.parameters == 129_135_360
    eight = cost.forward(drawing.editor.analysis).flops
    # PyTorch's counter finds 4,129,062,912 for 16 positions; the convolution goes over T + 3.
    beyond = 24 * 2 * 1536 * 4 * 3
    assert eight - beyond == (4_129_062_912 - beyond) // 2


def test_names_are_those_of_mamba() -> None:
    drawing = drawing_of("MambaBlock", "B", "T", 768)
    shapes = {row.key.removeprefix("block."): row.param.shape for row in rows(drawing)}
    assert shapes == {
        "norm.weight": (768,),
        "mixer.A_log": (1536, 16),
        "mixer.D": (1536,),
        "mixer.conv1d.weight": (1536, 1, 4),
        "mixer.conv1d.bias": (1536,),
        "mixer.in_proj.weight": (3072, 768),
        "mixer.x_proj.weight": (80, 1536),
        "mixer.dt_proj.weight": (1536, 48),
        "mixer.dt_proj.bias": (1536,),
        "mixer.out_proj.weight": (768, 1536),
    }


def rows(drawing: Drawing) -> Any:
    """The rows of the table of parameters."""
    return count.rows(drawing.editor.analysis)


@pytest.mark.parametrize(
    ("ports", "sentence"),
    [
        ({}, ""),
        ({"delta": (2, 5, 4)}, "SelectiveScan needs 3 at port delta, got 4."),
        ({"a": (4, 2)}, "SelectiveScan needs 3 at port a, got 4."),
        ({"a": (2,)}, "SelectiveScan expects [D, N], got [2]."),
        ({"b": (2, 5, 3)}, "SelectiveScan needs 2 at port b, got 3."),
        ({"c": (2, 6, 2)}, "SelectiveScan needs 5 at port c, got 6."),
    ],
)
def test_the_scan_refuses_what_does_not_fit(ports: dict[str, Any], sentence: str) -> None:
    shapes = {"x": (2, 5, 3), "delta": (2, 5, 3), "a": (3, 2), "b": (2, 5, 2), "c": (2, 5, 2)}
    drawing = Drawing()
    scan = drawing.add(
        "SelectiveScan", *(drawing.input(*shape) for shape in {**shapes, **ports}.values())
    )
    assert "".join(str(p.message) for p in drawing.finding(scan).problems) == sentence


def test_the_scan_needs_a_position() -> None:
    none = t(2, 0, 3)
    fed = {"x": none, "delta": none, "a": t(3, 2), "b": t(2, 0, 2), "c": t(2, 0, 2)}
    sentence = "SelectiveScan needs a position, got [2, 0, 3]."
    assert refusal(verdict("SelectiveScan", {}, fed)) == sentence


@pytest.mark.parametrize(
    ("shape", "options", "sentence"),
    [
        (("T", 48), {}, "MambaBlock expects [B, T, C], got [T, 48]."),
        (("B", "T", 48), {"d_model": 50}, "MambaBlock expects [B, T, 50], got [B, T, 48]."),
    ],
)
def test_the_block_refuses_what_does_not_fit(
    shape: Any, options: dict[str, Any], sentence: str
) -> None:
    drawing = drawing_of("MambaBlock", *shape, **options)
    (problem,) = [p for p in drawing.editor.analysis.problems() if p.severity == "error"]
    assert str(problem.message) == sentence
