"""Bags of embeddings: several learned vectors are looked up and made one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from designer.core.code import Call, Code, Module, Ref
from designer.core.layer import Result, layer
from designer.core.message import message
from designer.core.option import option
from designer.core.param import weight
from designer.core.size import UNKNOWN, Size, value
from designer.core.tensor import Tensor
from designer.layers.axes import promoted
from designer.layers.embed import Table
from designer.layers.rules import check_dtype, known_zero

if TYPE_CHECKING:
    from designer.core.layer import Inputs
    from designer.core.message import Message

INDICES = ("int64", "int32")


@layer(
    "EmbeddingBag",
    family="embed",
    aliases=("bag of words", "multi-hot", "sparse features", "词袋嵌入", "嵌入"),
    stem="bag",
)
class EmbeddingBag(Table):
    """Sum, mean or maximum of learned vectors, for each bag of numbers: y = Σ W[x]."""

    num_embeddings: Size = option(10_000, "Rows of the table: the size of the vocabulary.", min=1)
    embedding_dim: Size = option(128, "Size of each vector.", min=0)
    max_norm: float | None = option(None, "Vectors longer than this are shortened to it.")
    norm_type: float = option(2.0, "The p of the norm that max_norm limits.")
    scale_grad_by_freq: bool = option(
        False, "Divide gradients by how often a number occurs in the batch."
    )
    mode: str = option("mean", "What is made of a bag.", choices=("sum", "mean", "max"))
    sparse: bool = option(False, "Give sparse gradients, which few optimizers take.")
    include_last_offset: bool = option(False, "The last offset is where the last bag ends.")
    padding_idx: int | None = option(None, "A row that counts for nothing and is not trained.")

    def infer(
        self, x: Tensor, offsets: Tensor | None = None, per_sample_weights: Tensor | None = None
    ) -> Result:
        """[bags, n], or [n] and [bags] offsets, to [bags, embedding_dim]."""
        self._check_dtypes(x, offsets)
        self._check_options()
        bags = self._bags(x, offsets)
        if per_sample_weights is not None:
            self._check_weights(x, per_sample_weights)
        axes = {"num_embeddings": self.num_embeddings, "embedding_dim": self.embedding_dim}
        y = Tensor((bags, self.embedding_dim))
        return Result(
            (y,), (weight("weight", **axes),), code=self._code(offsets, per_sample_weights)
        )

    def _check_dtypes(self, x: Tensor, offsets: Tensor | None) -> None:
        """Numbers and offsets are brought to one dtype first."""
        if offsets is None:
            check_dtype(self, x, INDICES)
            return
        if offsets.partial:
            return
        joint = promoted(x.dtype, offsets.dtype)
        check_dtype(self, x.with_dtype(joint), INDICES)

    def _check_options(self) -> None:
        rows = value(self.num_embeddings)
        if rows is not None and self.padding_idx is not None:
            self._check_padding(rows, self.padding_idx)
        if self.mode == "max" and (self.scale_grad_by_freq or self.sparse):
            name = "sparse" if self.sparse else "scale_grad_by_freq"
            raise self.refuse("{layer} takes no {option} with mode max.", option=name)

    def _check_padding(self, rows: int, row: int) -> None:
        if not -rows <= row < rows:
            raise self.refuse(
                "{layer} takes padding_idx from {low} to {high}, got {got}.",
                option="padding_idx",
                low=-rows,
                high=rows - 1,
                got=row,
            )

    def _bags(self, x: Tensor, offsets: Tensor | None) -> Size:
        """How many bags there are."""
        self.ranked(x, (1,) if offsets is not None else (2,), self._expected(offsets))
        if offsets is None:
            return x.axis(-2)
        self.ranked(offsets, (1,), "[bags]", "offsets")
        count = offsets.axis(-1) if offsets.rank else UNKNOWN
        if self.include_last_offset and known_zero(count):
            raise self.refuse("{layer} needs one offset or more.", port="offsets")
        return count - self.include_last_offset

    def _expected(self, offsets: Tensor | None) -> Message:
        with_offsets = message("[n] with offsets")
        return message("[bags, n], or [n] with offsets") if offsets is None else with_offsets

    def _check_weights(self, x: Tensor, weights: Tensor) -> None:
        check_dtype(self, weights, ("float32",), "per_sample_weights")
        if self.mode != "sum":
            raise self.refuse(
                "{layer} takes per_sample_weights with mode sum only.", port="per_sample_weights"
            )
        refusal = self.refuse(
            "{layer} expects per_sample_weights {expected}, got {got}.",
            port="per_sample_weights",
            expected=x,
            got=weights,
        )
        if weights.rank is not None and x.rank is not None and weights.rank != x.rank:
            raise refusal
        for mine, theirs in zip(reversed(x.shape), reversed(weights.shape), strict=False):
            self.same(mine, theirs, refusal)

    def _code(self, offsets: Tensor | None, weights: Tensor | None) -> Code:
        made = self.module("nn.EmbeddingBag", "num_embeddings", "embedding_dim")
        positions = () if offsets is None else (Ref("offsets"),)
        name = "per_sample_weights"
        named = () if weights is None else ((name, Ref(name)),)
        return Code(Call(Module(), (Ref("x"), *positions), named), made.make)

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The mode and the table: `mean 10000 × 128`."""
        return f"{self.mode} {super().caption(result, inputs)}"
