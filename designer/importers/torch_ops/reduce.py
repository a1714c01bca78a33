"""Operations that make one value of many, or run along one axis."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from designer.core.tensor import Tensor
from designer.importers.torch_ops.table import operation, same

if TYPE_CHECKING:
    from designer.importers.torch_ops.binding import Bound, Call

ALONG = "(input, dim=None, keepdim=False"
EITHER = "(input, dim=None, keepdim=None"
"""All of it, or along an axis that then may be kept: two calls of one name."""
EVEN_NONE = "(input, dim=(), keepdim=None"
"""The same where None may be said for all axes."""

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


@operation(
    f"torch.mean{EVEN_NONE}, *, dtype=None)",
    f"torch.sum{EVEN_NONE}, *, dtype=None)",
    f"torch.prod{EITHER}, *, dtype=None)",
    f"torch.median{EITHER})",
)
def whole_or_along(call: Call) -> Bound:
    """Of all elements, or along an axis."""
    if call.values.get("dtype") is not None:
        raise call.unmapped("{op} has dtype {got}.", got=call["dtype"])
    dim = None if call["dim"] == () else call["dim"]
    options = {"dim": dim, "keepdim": _kept(call)}
    kind = call.op.rpartition(".")[2].capitalize()
    return call.to(kind, {"x": call.tensor("input")}, options)


def _kept(call: Call) -> object:
    """Whether the axis is kept. Raises BadCall where there is none to keep."""
    nowhere = () if call.op in ("torch.mean", "torch.sum") else None
    if call["dim"] == nowhere and call["keepdim"] is not None:
        raise call.bad("{op} needs a dim where keepdim is given.")
    return bool(call["keepdim"]) if call["keepdim"] is None else call["keepdim"]


@operation(f"torch.max{EITHER}, *, other=None)", f"torch.min{EITHER}, *, other=None)")
def extreme(call: Call) -> Bound:
    """The extreme along an axis; that of two tensors is another layer."""
    name = call.op.rpartition(".")[2]
    second = call["dim"] if isinstance(call["dim"], Tensor) else call["other"]
    if second is not None:
        kind = {"max": "Maximum", "min": "Minimum"}[name]
        return call.to(kind, {"a": call.tensor("input"), "b": second})
    options = {"dim": call["dim"], "keepdim": _kept(call)}
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
    if not isinstance(unbiased, bool):
        raise call.bad("{op} takes true or false for unbiased, got {got}.", got=unbiased)
    correction = int(unbiased) if call["correction"] is None else call["correction"]
    if isinstance(correction, float) and correction.is_integer():
        correction = int(correction)
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
