"""Look-ups in tables as functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from designer.importers.torch_ops.table import operation, same

if TYPE_CHECKING:
    from designer.importers.torch_ops.binding import Bound, Call

DEVICE = "device: _ = None, dtype: _ = None"

same(
    "Embedding",
    "nn.Embedding(num_embeddings, embedding_dim, padding_idx=None, max_norm=None, norm_type=2.0,"
    f" scale_grad_by_freq=False, sparse=False, _weight: only = None, _freeze: _ = False, {DEVICE})",
)
same(
    "EmbeddingBag",
    "nn.EmbeddingBag(num_embeddings, embedding_dim, max_norm=None, norm_type=2.0,"
    " scale_grad_by_freq=False, mode='mean', sparse=False, _weight: only = None,"
    f" include_last_offset=False, padding_idx=None, {DEVICE})",
)

OPTIONS = ("padding_idx", "max_norm", "norm_type", "scale_grad_by_freq", "sparse")


@operation(
    "F.embedding(input, weight, padding_idx=None, max_norm=None, norm_type=2.0,"
    " scale_grad_by_freq=False, sparse=False)"
)
def embedding(call: Call) -> Bound:
    """An Embedding of the sizes that the weight [rows, width] has."""
    weight = call.ranked("weight", 2)
    sizes = {"num_embeddings": weight.axis(0), "embedding_dim": weight.axis(1)}
    others = {name: call[name] for name in OPTIONS}
    inputs = {"x": call.tensor("input")}
    return call.to("Embedding", inputs, {**sizes, **others}, {"weight": weight})
