"""Activations as functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from designer.importers.torch_ops.table import operation, received, same

if TYPE_CHECKING:
    from designer.importers.torch_ops.binding import Bound, Call

same("ReLU", "F.relu(input, inplace: _ = False)", "torch.relu(input)")
same("GELU", "F.gelu(input, *, approximate='none')")
same("SiLU", "F.silu(input, inplace: _ = False)")
same("Mish", "F.mish(input, inplace: _ = False)")
same("Sigmoid", "F.sigmoid(input)", "torch.sigmoid(input)")
same("Tanh", "F.tanh(input)", "torch.tanh(input)")
same("LogSigmoid", "F.logsigmoid(input)")
same("Tanhshrink", "F.tanhshrink(input)")
same("Softsign", "F.softsign(input)")
same("Softplus", "F.softplus(input, beta=1, threshold=20)")
same("Softshrink", "F.softshrink(input, lambd=0.5)")
same("Hardshrink", "F.hardshrink(input, lambd=0.5)")
same("LeakyReLU", "F.leaky_relu(input, negative_slope=0.01, inplace: _ = False)")
same("ELU", "F.elu(input, alpha=1.0, inplace: _ = False)")
same("CELU", "F.celu(input, alpha=1.0, inplace: _ = False)")
same("SELU", "F.selu(input, inplace: _ = False)")
same("ReLU6", "F.relu6(input, inplace: _ = False)")
same("Hardswish", "F.hardswish(input, inplace: _ = False)")
same("Hardsigmoid", "F.hardsigmoid(input, inplace: _ = False)")
same("Hardtanh", "F.hardtanh(input, min_val=-1.0, max_val=1.0, inplace: _ = False)")
same("GLU", "F.glu(input, dim=-1)")

_STACK = "_stacklevel: _ = 3, dtype: only = None"
same(
    "Softmax",
    f"F.softmax(input, dim=None, {_STACK})",
    "torch.softmax(input, dim, dtype: only = None)",
)
same(
    "LogSoftmax",
    f"F.log_softmax(input, dim=None, {_STACK})",
    "torch.log_softmax(input, dim, dtype: only = None)",
)
same("Softmin", f"F.softmin(input, dim=None, {_STACK})")
same("Identity", "nn.Identity(*args: _, **kwargs: _)")


@operation(
    "nn.Hardtanh(min_val=-1.0, max_val=1.0, inplace: _ = False, min_value=None, max_value=None)"
)
def hardtanh(call: Call) -> Bound:
    """The bounds, by their older names too, which overrule the others."""
    inputs, named = received(call, "Hardtanh")
    names = (("min_val", "min_value"), ("max_val", "max_value"))
    bounds = {new: call[new] if call[old] is None else call[old] for new, old in names}
    return call.to("Hardtanh", inputs, {**bounds, **named})


same("Threshold", "nn.Threshold(threshold, value, inplace: _ = False)")
same("Threshold", "F.threshold(input, threshold, value, inplace: _ = False)")
