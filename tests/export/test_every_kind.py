"""Every kind of the catalogue in the exported code: it runs, with the drawing's shapes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
import torch

from designer.core import count, edits, size
from designer.core.graph import Source, Target
from designer.core.layer import CATALOGUE
from designer.core.tensor import Tensor
from tests.core.drawing import Drawing
from tests.export.designs import drawn as computed_layer_by_layer
from tests.export.designs import exported
from tests.layers.oracle import random, t
from tests.truth.judge import Refused, answer
from tests.truth.recorded import read

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from designer.core.option import Raw
    from designer.importers.torch_ops import Bound

RECORDED = Path(__file__).parents[1] / "facts" / "layers.json"
KINDS = [kind for kind in CATALOGUE if kind not in ("Input", "Output")]


class Example(NamedTuple):
    """A use of a layer: its options, and the tensors at its ports, several at a variadic one."""

    options: Mapping[str, Raw]
    inputs: Mapping[str, tuple[Tensor, ...]]


def example(*tensors: Tensor, **options: Raw) -> Example:
    """A use with one tensor at each of the first ports, which are named when it is drawn."""
    return Example(options, {str(place): (tensor,) for place, tensor in enumerate(tensors)})


VALUES = t(2, 3)
TRUTHS = t(2, 3, dtype="bool")
COMPLEX = t(2, 3, dtype="complex64")
IDS = t(2, 3, dtype="int64")
TOKENS = t(2, 3, 8)
IMAGE = t(2, 4, 8, 8)
TIMES = t(2)
CELLS = t(2, 4, 4, 6)
HEADS = t(2, 2, 3, 4)

NOT_RECORDED = {
    **dict.fromkeys(
        (
            *("Expm1", "Log2", "Log10", "Log1p", "Cos", "Tan", "Atan", "Ceil", "Round", "Trunc"),
            *("FloorDivide", "NotEqual", "LessEqual", "Greater", "GreaterEqual"),
            *("Cumprod", "Argsort", "Argmin", "Triu", "Softcap", "ConstantLike", "RandomNormal"),
        ),
        example(VALUES),
    ),
    "LogicalNot": example(TRUTHS),
    "LogicalAnd": example(TRUTHS, TRUTHS),
    "LogicalOr": example(TRUTHS, TRUTHS),
    "RealPart": example(COMPLEX),
    "ImaginaryPart": example(COMPLEX),
    "ViewAsReal": example(COMPLEX),
    "PadLike": example(VALUES, t(4, 5)),
    "ReshapeLike": example(VALUES, t(6)),
    **dict.fromkeys(("Constant", "Parameter", "Buffer"), example(shape=(2, 3))),
    # Positions and masks
    "PositionEmbedding": example(IDS, max_len=4, embedding_dim=8),
    "CausalMask": example(TOKENS),
    "SinusoidalPositions": example(TOKENS),
    "RelativeBuckets": example(IDS),
    "RotaryEmbedding": example(HEADS),
    "PositionalEncoding": example(TOKENS, max_len=4),
    "TimestepFeatures": example(TIMES, dim=8),
    "RelativePositionBias": example(TOKENS, n_heads=2, num_buckets=8),
    # Attention and transformers
    "SoftcappedAttention": example(HEADS, HEADS, HEADS),
    **dict.fromkeys(
        (
            *("CausalSelfAttention", "MultiQueryAttention", "GroupedQueryAttention"),
            *("ProjectedAttention", "T5Attention", "EncoderBlock", "BERTBlock", "T5Block"),
            *("GPTBlock", "ContextAttention", "ContextBlock"),
        ),
        example(TOKENS, n_heads=2),
    ),
    "T5DecoderBlock": example(TOKENS, t(2, 5, 8), n_heads=2),
    "LlamaBlock": example(TOKENS, n_heads=2, d_hidden=16),
    "Gemma2Block": example(TOKENS, n_heads=2, n_kv_heads=1, head_dim=4, d_hidden=16),
    "MultiHeadLatentAttention": example(
        TOKENS,
        n_heads=2,
        q_lora_rank=4,
        kv_lora_rank=4,
        qk_nope_head_dim=4,
        qk_rope_head_dim=2,
        v_head_dim=4,
    ),
    **dict.fromkeys(("MLP", "T5FeedForward", "GemmaNorm"), example(TOKENS)),
    "GatedMLP": example(TOKENS, d_hidden=16),
    "LoRALinear": example(TOKENS, out_features=4, rank=2),
    "TopKRouter": example(TOKENS, num_experts=4),
    "MixtureOfExperts": example(TOKENS, num_experts=4, d_hidden=16),
    # Windows
    "WindowPartition": example(CELLS, window=2, shift=1),
    "WindowReverse": example(t(8, 4, 6), CELLS, window=2, shift=1),
    "WindowIndex": example(window=2),
    "WindowBias": example(t(9, 3), t(16, dtype="int64"), CELLS, window=2, shift=1),
    "MergePatches": example(CELLS),
    "WindowAttention": example(CELLS, window=2, shift=1),
    "SwinBlock": example(CELLS, window=2, shift=1),
    "PatchMerging": example(CELLS),
    # State spaces
    "SelectiveScan": example(TOKENS, TOKENS, t(8, 4), t(2, 3, 4), t(2, 3, 4)),
    "MambaMixer": example(TOKENS, d_state=4),
    "MambaBlock": example(TOKENS, d_state=4),
    # Images
    **dict.fromkeys(
        (
            *("BasicBlock", "InvertedResidual", "MBConv", "LayerNorm2d", "ConvNeXtBlock"),
            *("SqueezeExcitation", "DenseNetTransition", "UNetDown"),
        ),
        example(IMAGE),
    ),
    **dict.fromkeys(
        ("DepthwiseSeparable", "ConvNormAct", "DoubleConv"), example(IMAGE, out_channels=6)
    ),
    "Bottleneck": example(IMAGE, channels_within=2),
    "PatchEmbedding": example(IMAGE, d_model=8, patch_size=4),
    "InceptionBlock": example(
        IMAGE, ch1x1=2, ch3x3red=2, ch3x3=3, ch5x5red=2, ch5x5=3, pool_proj=2
    ),
    "DenseNetLayer": example(IMAGE, growth_rate=3, bn_size=2),
    "DenseNetBlock": example(IMAGE, num_layers=2, growth_rate=3, bn_size=2),
    "UNetUp": example(IMAGE, t(2, 3, 16, 16)),
    "TimeEmbedding": example(TIMES, channels=8),
    "TimeResidualBlock": example(IMAGE, t(2, 5), groups=2),
    "SpatialSelfAttention": example(IMAGE, groups=2),
    "SpatialTransformer": example(IMAGE, t(2, 3, 5), groups=2, n_heads=2),
}
"""An example of each kind that no recorded call of PyTorch is bound to."""

WITHIN_0_AND_1 = ("BCELoss", "GaussianNLLLoss")
"""What takes probabilities or variances."""


def recorded() -> dict[str, Example]:
    """By kind the first recorded call that PyTorch accepts and that one layer is enough for."""
    found: dict[str, Example] = {}
    for case in read(RECORDED):
        if case.refused:
            continue
        said = answer(case)
        if not isinstance(said, Refused) and said[0].kind not in found:
            single = _single(said[0])
            found |= {} if single is None else {said[0].kind: single}
    return found


def _single(bound: Bound) -> Example | None:
    several = {
        port: fed if isinstance(fed, tuple) else (fed,) for port, fed in bound.inputs.items()
    }
    inputs = {
        port: tuple(one for one in fed if isinstance(one, Tensor)) for port, fed in several.items()
    }
    return Example(bound.options, inputs) if inputs == several else None


@pytest.fixture(scope="module")
def examples() -> dict[str, Example]:
    return {**recorded(), **NOT_RECORDED}


def test_every_kind_has_an_example(examples: dict[str, Example]) -> None:
    missing = [kind for kind in KINDS if kind not in examples]
    assert not missing, (
        f"No example of {', '.join(missing)}: add one, as small as possible, "
        "to NOT_RECORDED in tests/export/test_every_kind.py."
    )
    assert NOT_RECORDED.keys() <= set(KINDS)


def test_examples_are_added_only_where_none_is_recorded() -> None:
    assert recorded().keys() & NOT_RECORDED.keys() == set()


# Drawn, exported, run


# PyTorch's advice on what these two compute, which is as it is drawn.
@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides the total loss by both:UserWarning")
@pytest.mark.filterwarnings("ignore:A window was not provided:UserWarning")
@pytest.mark.parametrize("kind", KINDS)
def test_the_exported_module_runs_and_gives_what_is_drawn(
    kind: str, examples: dict[str, Example]
) -> None:
    assert kind in examples, f"{kind} has no example; another test says where to add one"
    drawing, inputs = drawn(kind, examples[kind])
    document, analysis = drawing.editor.document, drawing.editor.analysis
    module = exported(document)
    state = [(key, list(value.shape)) for key, value in module.state_dict().items()]
    rows = [(row.key, [size.value(n) for n in row.param.shape]) for row in count.rows(analysis)]
    assert state == rows
    torch.manual_seed(0)
    given = [values(kind, tensor) for tensor in inputs]
    torch.manual_seed(1)
    returned = module(*given)
    several = returned if isinstance(returned, tuple) else (returned,)
    outputs = drawing.finding(len(inputs) + 1).outputs.values()
    assert [(list(x.shape), str(x.dtype)) for x in several] == [shown(x) for x in outputs]
    torch.manual_seed(1)
    expected = computed_layer_by_layer(document, module, given)
    torch.testing.assert_close(list(several), expected, equal_nan=True)


def values(kind: str, tensor: Tensor) -> torch.Tensor:
    """A random tensor for a layer of this kind: between 0 and 1 where it takes no others."""
    return random(tensor).sigmoid() if kind in WITHIN_0_AND_1 else random(tensor)


def shown(tensor: Tensor) -> tuple[list[int | None], str]:
    """Shape and dtype of a drawn tensor, as numbers and as PyTorch names it."""
    return [size.value(axis) for axis in tensor.shape], f"torch.{tensor.dtype}"


def drawn(kind: str, used: Example) -> tuple[Drawing, list[Tensor]]:
    """A layer with an input for each of its tensors and an output for each value that it gives.

    A design has an input at least; a layer that takes none has one beside it.
    """
    drawing = Drawing()
    wires = list(_wires(kind, used))
    inputs = [tensor for _, _, tensor in wires] or [VALUES]
    for tensor in inputs:
        drawing.input(*map(size.value, tensor.shape), dtype=tensor.dtype)
    layer = drawing.editor.document.next_id
    drawing.do(edits.add_node(kind, (0.0, 0.0), used.options))
    for place, (port, slot, _) in enumerate(wires):
        drawing.wire(place + 1, layer, port, slot)
    for port in drawing.finding(layer).outputs:
        drawing.do(edits.connect(Source(layer, port), Target(drawing.add("Output"), "x")))
    return drawing, inputs


def _wires(kind: str, used: Example) -> Iterator[tuple[str, int, Tensor]]:
    """Port, slot and tensor of each wire into a layer."""
    ports = CATALOGUE[kind].ports
    for name, tensors in used.inputs.items():
        port = ports[int(name)].name if name.isdigit() else name
        for slot, tensor in enumerate(tensors):
            yield port, slot, tensor
