"""Mixtures of experts against Hugging Face's, with the same weights."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import pytest
import torch

from designer.core import count, size
from designer.core.expression import Expression
from designer.core.layer import examine
from designer.core.size import free, variable
from designer.core.tensor import Tensor
from designer.layers.ready_experts import MixtureOfExperts, TopKRouter
from tests.layers.test_ready import drawing_of, module_of

if TYPE_CHECKING:
    from tests.core.drawing import Drawing

E = Expression
WIDTH, HIDDEN, SHARED = 16, 12, 20
EXPERTS, CHOSEN = 8, 3
PLAIN = {"num_experts": EXPERTS, "top_k": CHOSEN, "d_hidden": HIDDEN}
GROUPED = {
    "scoring": "sigmoid",
    "correction": True,
    "n_group": 4,
    "topk_group": 2,
    "scale": 2.5,
    "d_shared": SHARED,
}


@pytest.fixture(scope="module")
def models() -> Any:
    """The reference's own modules of three mixtures, by the names of the models."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from transformers import DeepseekV3Config, MixtralConfig, Qwen2MoeConfig
        from transformers.models.deepseek_v3.modeling_deepseek_v3 import DeepseekV3MoE
        from transformers.models.mixtral.modeling_mixtral import MixtralSparseMoeBlock
        from transformers.models.qwen2_moe.modeling_qwen2_moe import Qwen2MoeSparseMoeBlock
    eager = {"experts_implementation": "eager"}
    mixtral = MixtralConfig(
        hidden_size=WIDTH,
        intermediate_size=HIDDEN,
        num_local_experts=EXPERTS,
        num_experts_per_tok=CHOSEN,
        **eager,
    )
    deepseek = DeepseekV3Config(
        hidden_size=WIDTH,
        moe_intermediate_size=SHARED // 2,
        n_routed_experts=EXPERTS,
        num_experts_per_tok=CHOSEN,
        n_shared_experts=2,
        n_group=4,
        topk_group=2,
        routed_scaling_factor=2.5,
        **eager,
    )
    qwen = Qwen2MoeConfig(
        hidden_size=WIDTH,
        moe_intermediate_size=HIDDEN,
        num_experts=EXPERTS,
        num_experts_per_tok=CHOSEN,
        shared_expert_intermediate_size=SHARED,
        norm_topk_prob=False,
        **eager,
    )
    return {
        "mixtral": MixtralSparseMoeBlock(mixtral),
        "deepseek": DeepseekV3MoE(deepseek),
        "qwen": Qwen2MoeSparseMoeBlock(qwen),
    }


CASES: dict[str, dict[str, Any]] = {
    "mixtral": PLAIN,
    "deepseek": {**PLAIN, **GROUPED, "d_hidden": SHARED // 2},
    "qwen": {**PLAIN, "normalize": False, "d_shared": SHARED, "shared_gate": True},
}


def split(name: str, tensor: torch.Tensor) -> dict[str, torch.Tensor]:
    """The tensors of single experts that the reference holds in one, by their names here."""
    if name == "experts.gate_up_proj":
        halves = zip(("gate_proj", "up_proj"), tensor.chunk(2, dim=1), strict=True)
        pieces = [(part, half) for part, half in halves]
    elif name == "experts.down_proj":
        pieces = [("down_proj", tensor)]
    else:
        return {name: tensor}
    return {
        f"experts.{place}.{part}.weight": one
        for part, half in pieces
        for place, one in enumerate(half)
    }


def all_split(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The same for all tensors of the reference."""
    return {key: one for name, t in tensors.items() for key, one in split(name, t).items()}


@pytest.mark.parametrize("model", CASES)
def test_outputs_and_gradients_are_those_of_the_model(models: Any, model: str) -> None:
    torch.manual_seed(3)
    theirs = models[model]
    with torch.no_grad():
        for tensor in theirs.state_dict().values():
            tensor.copy_(torch.randn_like(tensor) / 2)
    mine = module_of(drawing_of("MixtureOfExperts", "B", "T", WIDTH, **CASES[model]))
    weights = all_split(theirs.state_dict())
    mine.load_state_dict({f"block.{name}": tensor for name, tensor in weights.items()})
    x, y = torch.randn(2, 2, 7, WIDTH).unbind()
    x = x.requires_grad_()
    again = x.detach().clone().requires_grad_()
    got, expected = mine(x), theirs(again)
    torch.testing.assert_close(got, expected, rtol=1e-5, atol=1e-5)
    (got * y).sum().backward()
    (expected * y).sum().backward()
    torch.testing.assert_close(x.grad, again.grad, rtol=1e-5, atol=1e-5)
    wanted = all_split({name: p.grad for name, p in theirs.named_parameters()})
    assert {name for name, _ in mine.named_parameters()} == {f"block.{name}" for name in wanted}
    for name, parameter in mine.named_parameters():
        given = wanted[name.removeprefix("block.")]
        torch.testing.assert_close(parameter.grad, given, rtol=1e-5, atol=1e-5)


def counted(**options: Any) -> tuple[int, int]:
    """Parameters of a mixture in all, and for one token."""
    layer = MixtureOfExperts(**options)
    result = examine(layer, {"x": Tensor((free("B"), free("T"), options["d_model"]))}).result
    assert result is not None
    return result.tally.parameters, result.tally.active


def test_totals_of_mixtral_8x7b_and_of_what_works_per_token() -> None:
    expert = 3 * 4096 * 14336
    total, active = counted(d_model=4096, num_experts=8, top_k=2, d_hidden=14336)
    assert total == 8 * expert + 8 * 4096
    assert active == 2 * expert + 8 * 4096
    attention = 2 * 4096 * 4096 + 2 * 4096 * 1024
    others = 2 * 32_000 * 4096 + 32 * (attention + 2 * 4096) + 4096
    assert others + 32 * total == 46_702_792_704
    assert others + 32 * active == 12_879_925_248


def test_totals_of_a_layer_of_deepseek_v3() -> None:
    expert = 3 * 7168 * 2048
    options = {"num_experts": 256, "top_k": 8, "d_hidden": 2048, "d_shared": 2048}
    grouped = {"scoring": "sigmoid", "correction": True, "n_group": 8, "topk_group": 4}
    total, active = counted(d_model=7168, **options, **grouped)
    assert total == 257 * expert + 256 * 7168
    assert active == 9 * expert + 256 * 7168


def test_the_count_is_a_formula_of_the_number_of_experts() -> None:
    n, k, d, h = (variable(name, v) for name, v in (("n", 8), ("k", 2), ("d", 16), ("h", 32)))
    layer = MixtureOfExperts(num_experts=n, top_k=k, d_hidden=h)
    result = examine(layer, {"x": Tensor((free("B"), d))}).result
    assert result is not None
    assert sum((p.count for p in result.params), 0) == n * (3 * d * h + d)
    explained = count.explain(result.params)
    assert explained.names() == "in × out + n × (2 × in × out + in × out)"
    assert explained.total == size.value(n * (3 * d * h + d))
    assert result.tally.active == 2 * 3 * 16 * 32 + 8 * 16
    assert result.flops == 2 * free("B") * (d * n + 3 * k * d * h)


def mixture(drawing: Drawing) -> str:
    """The sentence with which the layer refuses."""
    problems = drawing.editor.analysis.problems_by_node[2]
    return next(str(problem.message) for problem in problems if problem.blocks)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            {"num_experts": 2, "top_k": 3},
            "MixtureOfExperts, gate: top_k must be at most 2, got 3.",
        ),
        (
            {"num_experts": 8, "n_group": 3},
            "MixtureOfExperts, gate: "
            "TopKRouter needs n_group to divide 8 into groups of two or more.",
        ),
        (
            {"num_experts": 8, "n_group": 8},
            "MixtureOfExperts, gate: "
            "TopKRouter needs n_group to divide 8 into groups of two or more.",
        ),
        (
            {"num_experts": 8, "n_group": 2, "topk_group": 3},
            "MixtureOfExperts, gate: TopKRouter keeps 3 groups of 2.",
        ),
    ],
)
def test_what_a_mixture_refuses(options: dict[str, Any], sentence: str) -> None:
    assert mixture(drawing_of("MixtureOfExperts", "B", 16, **options)) == sentence


def test_a_router_serves_experts_that_are_drawn() -> None:
    result = examine(TopKRouter(num_experts=5, top_k=2), {"x": Tensor((free("B"), 16))}).result
    assert result is not None
    assert [str(t) for t in result.outputs] == ["[B, 2]", "[B, 2]"]
    assert [t.dtype for t in result.outputs] == ["float32", "int64"]
    assert result.tally.parameters == result.tally.active == 5 * 16


def test_one_token_alone_and_no_token_at_all() -> None:
    module = module_of(drawing_of("MixtureOfExperts", WIDTH, **PLAIN))
    assert module(torch.randn(WIDTH)).shape == (WIDTH,)
    several = module_of(drawing_of("MixtureOfExperts", "B", WIDTH, **PLAIN))
    assert several(torch.randn(0, WIDTH)).shape == (0, WIDTH)
