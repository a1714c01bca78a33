"""How PyTorch makes modules, where the options of a kind do not tell.

A kind has a default for every option, so that it can be drawn at once; PyTorch asks for some. Some
modules take arguments that change nothing in a drawing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

AXES = (1, 2, 3)

_REQUIRED = {
    1: (
        *(f"BatchNorm{axes}d" for axes in AXES),
        *(f"InstanceNorm{axes}d" for axes in AXES),
        *(f"{kind}Pad{axes}d" for kind in ("Zero", "Reflection") for axes in AXES),
        *(f"{kind}Pad{axes}d" for kind in ("Replication", "Circular") for axes in AXES),
        *(f"{kind}Pool{axes}d" for kind in ("Max", "Avg") for axes in AXES),
        *(f"Adaptive{kind}Pool{axes}d" for kind in ("Max", "Avg") for axes in AXES),
        *(f"MaxUnpool{axes}d" for axes in AXES),
        *("LayerNorm", "RMSNorm", "LocalResponseNorm", "CrossMapLRN2d"),
        *("PixelShuffle", "PixelUnshuffle", "ChannelShuffle", "Unfold"),
    ),
    2: (
        *(f"ConstantPad{axes}d" for axes in AXES),
        *(f"LPPool{axes}d" for axes in AXES),
        *("Linear", "GroupNorm", "Fold", "Unflatten"),
        *("RNNCell", "LSTMCell", "GRUCell", "RNN", "LSTM", "GRU"),
        *("MultiheadAttention", "TransformerEncoderLayer", "TransformerDecoderLayer"),
    ),
    3: (
        *(f"Conv{axes}d" for axes in AXES),
        *(f"ConvTranspose{axes}d" for axes in AXES),
        *("Bilinear", "AdaptiveLogSoftmaxWithLoss"),
    ),
}

REQUIRED = {kind: count for count, kinds in _REQUIRED.items() for kind in kinds}
"""How many of its first arguments a module must be given; none where it is not listed."""

BY_NAME = frozenset(
    (kind, "bias")
    for kind in (
        *(f"BatchNorm{axes}d" for axes in AXES),
        *(f"InstanceNorm{axes}d" for axes in AXES),
        *("GroupNorm",),
    )
)
"""Arguments that are passed by name only."""

NOT_MODULES = frozenset(("Parameter", "Buffer"))
"""Kinds of which `torch.nn` has the name, for something that is no module."""

STRICT_FLAGS = frozenset(("ceil_mode", "count_include_pad", "sparse", "scale_grad_by_freq"))
"""Flags that must be a bool; for most of a module's, PyTorch takes what is true."""

STRICT_KINDS = frozenset(
    (
        *("RNN", "LSTM", "GRU", "TripletMarginLoss", "PoissonNLLLoss", "KLDivLoss", "CTCLoss"),
        "PairwiseDistance",
    )
)
"""Kinds of which that holds for all flags."""

_INPLACE = frozenset(
    (
        *("ReLU", "ReLU6", "LeakyReLU", "RReLU", "ELU", "SELU", "CELU", "SiLU", "Mish"),
        *("Hardswish", "Hardsigmoid", "Hardtanh", "Threshold"),
        *("Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout", "FeatureAlphaDropout"),
    )
)

_WITH_PARAMETERS = frozenset(
    (
        *(kind for kind in _REQUIRED[3]),
        *(f"BatchNorm{axes}d" for axes in AXES),
        *(f"InstanceNorm{axes}d" for axes in AXES),
        *("LayerNorm", "RMSNorm", "GroupNorm", "PReLU", "Linear"),
        *("RNNCell", "LSTMCell", "GRUCell", "RNN", "LSTM", "GRU"),
        *("MultiheadAttention", "TransformerEncoderLayer", "TransformerDecoderLayer"),
    )
)


def without_effect(kind: str) -> Iterator[tuple[str, object]]:
    """The arguments of a module behind those that are options, and their defaults."""
    if kind in _INPLACE:
        yield "inplace", False
    if kind in _WITH_PARAMETERS:
        yield "device", None
        yield "dtype", None
