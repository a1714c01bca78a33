"""Operations that make one value of many, or run along one axis."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from designer.core.tensor import Tensor
from designer.importers.torch_ops.table import operation, same

if TYPE_CHECKING:
    from designer.importers.torch_ops.binding import Bound, Call

ALONG = "(input, dim=None, keepdim=False"

same("Mean", f"torch.mean{ALONG}, *, dtype: only = None)")
same("Sum", f"torch.sum{ALONG}, *, dtype: only = None)")
same("Prod", f"torch.prod{ALONG}, *, dtype: only = None)")
same("Median", f"torch.median{ALONG})")
same("Argmax", f"torch.argmax{ALONG})")
same("Argmin", f"torch.argmin{ALONG})")
same("All", f"torch.all{ALONG})")
same("Any", f"torch.any{ALONG})")
same("Amax", "torch.amax(input, dim=(), keepdim=False)")
same("Amin", "torch.amin(input, dim=(), keepdim=False)")
same("LogSumExp", "torch.logsumexp(input, dim, keepdim=False)")
same("Cumsum", "torch.cumsum(input, dim, *, dtype: only = None)")
same("Cumprod", "torch.cumprod(input, dim, *, dtype: only = None)")
same("Diff", "torch.diff(input, n=1, dim=-1, prepend: only = None, append: only = None)")
same("Sort", "torch.sort(input, dim=-1, descending=False, stable: _ = False)")
same("Argsort", "torch.argsort(input, dim=-1, descending=False, stable: _ = False)")
same("Topk", "torch.topk(input, k, dim=-1, largest=True, sorted=True)")
same("Normalize", "F.normalize(input, p=2.0, dim=1, eps=1e-12)")


@operation(f"torch.max{ALONG}, *, other=None)", f"torch.min{ALONG}, *, other=None)")
def extreme(call: Call) -> Bound:
    """The extreme along an axis; that of two tensors is another layer."""
    name = call.op.rpartition(".")[2]
    second = call["dim"] if isinstance(call["dim"], Tensor) else call["other"]
    if second is not None:
        kind = {"max": "Maximum", "min": "Minimum"}[name]
        return call.to(kind, {"a": call.tensor("input"), "b": second})
    options = {"dim": call["dim"], "keepdim": call["keepdim"]}
    return call.to(name.capitalize(), {"x": call.tensor("input")}, options)


@operation(
    "torch.std(input, dim=None, unbiased=True, keepdim=False, *, correction=None)",
    "torch.var(input, dim=None, unbiased=True, keepdim=False, *, correction=None)",
)
def spread(call: Call) -> Bound:
    """The second argument is the axis, or whether the variance is unbiased."""
    dim, unbiased = call["dim"], call["unbiased"]
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    correction = int(bool(unbiased)) if call["correction"] is None else call["correction"]
    options = {"dim": dim, "correction": correction, "keepdim": call["keepdim"]}
    kind = call.op.rpartition(".")[2].capitalize()
    return call.to(kind, {"x": call.tensor("input")}, options)


@operation(
    "torch.norm(input, p='fro', dim=None, keepdim=False)",
    "torch.linalg.vector_norm(input, p=2, dim=None, keepdim=False)",
)
def norm(call: Call) -> Bound:
    """The Frobenius norm is that of power 2."""
    dim = call["dim"]
    if call["p"] == "fro" and isinstance(dim, (tuple, list)) and len(dim) > 2:
        raise call.bad("{op} takes two axes for the Frobenius norm, got {dim}.", dim=dim)
    power = 2 if call["p"] in ("fro", None) else call["p"]
    if isinstance(power, str) or (isinstance(power, float) and math.isinf(power)):
        raise call.unmapped("{op} has the norm {p}.", p=power)
    options = {"p": power, "dim": dim, "keepdim": call["keepdim"]}
    return call.to("Norm", {"x": call.tensor("input")}, options)
