"""Embeddings: learned vectors, looked up by number."""

from __future__ import annotations

from typing import TYPE_CHECKING

from designer.core.code import Attribute, Call, Code, Item, Module, Ref
from designer.core.layer import Layer, Result, layer
from designer.core.option import option
from designer.core.param import weight
from designer.core.size import Size, value
from designer.core.tensor import Tensor
from designer.layers.rules import check_dtype

if TYPE_CHECKING:
    from designer.core.layer import Inputs


class Table(Layer):
    """What tables of vectors share."""

    def caption(self, result: Result, inputs: Inputs) -> str:
        """Rows and columns: `50257 × 768`."""
        return " × ".join(str(size) for size in result.params[0].shape)


@layer(
    "Embedding",
    family="embed",
    aliases=("token embedding", "lookup", "word vectors", "词嵌入", "嵌入"),
    stem="emb",
)
class Embedding(Table):
    """A table of learned vectors: y = W[x]."""

    num_embeddings: Size = option(10_000, "Rows of the table: the size of the vocabulary.", min=1)
    embedding_dim: Size = option(128, "Size of each vector.", min=0)
    padding_idx: int | None = option(None, "A row that stays zero and is not trained.")
    max_norm: float | None = option(None, "Vectors longer than this are shortened to it.")
    norm_type: float = option(2.0, "The p of the norm that max_norm limits.")
    scale_grad_by_freq: bool = option(
        False, "Divide gradients by how often a number occurs in the batch."
    )
    sparse: bool = option(False, "Give sparse gradients, which few optimizers take.")

    def infer(self, x: Tensor) -> Result:
        """[...] of whole numbers below num_embeddings to [..., embedding_dim]."""
        check_dtype(self, x, ("int64", "int32"))
        self._check_padding()
        table = weight(
            "weight", num_embeddings=self.num_embeddings, embedding_dim=self.embedding_dim
        )
        y = Tensor((*x.shape, self.embedding_dim), partial=x.partial)
        code = self.module("nn.Embedding", "num_embeddings", "embedding_dim")
        return Result((y,), (table,), code=code)

    def _check_padding(self) -> None:
        rows = value(self.num_embeddings)
        if rows is None or self.padding_idx is None or -rows <= self.padding_idx < rows:
            return
        raise self.refuse(
            "{layer} takes padding_idx from {low} to {high}, got {got}.",
            option="padding_idx",
            low=-rows,
            high=rows - 1,
            got=self.padding_idx,
        )


@layer(
    "PositionEmbedding",
    family="embed",
    title="Position embedding",
    aliases=("positional encoding", "learned positions", "wpe", "位置编码", "位置嵌入"),
    stem="pos",
)
class PositionEmbedding(Table):
    """A learned vector for each position along axis 1: y = W[0 … T − 1]."""

    max_len: Size = option(1024, "Rows of the table: positions that there may be.", min=1)
    embedding_dim: Size = option(128, "Size of each vector.", min=0)

    def infer(self, x: Tensor) -> Result:
        """[B, T, ...] of any dtype to [T, embedding_dim]."""
        if x.rank is not None and x.rank < 2:
            raise self.refuse("{layer} expects [B, T, ...], got {got}.", port="x", got=x)
        length = x.axis(1)
        self._check_length(length)
        table = weight("weight", max_len=self.max_len, embedding_dim=self.embedding_dim)
        shape = (length, self.embedding_dim)
        return Result((Tensor(shape),), (table,), code=self._code())

    def _check_length(self, length: Size) -> None:
        excess = value(length - self.max_len)
        if excess is not None and excess > 0:
            raise self.refuse(
                "{layer} has {most} positions, got {given}.",
                most=value(self.max_len) or self.max_len,
                given=value(length) or length,
                port="x",
                option="max_len",
                expected=self.max_len,
                got=length,
            )

    def _code(self) -> Code:
        tokens = Ref("x")
        length = Item(Attribute(tokens, "shape"), 1)
        device = (("device", Attribute(tokens, "device")),)
        positions = Call("torch.arange", (length,), device)
        make = Call("nn.Embedding", (self.max_len, self.embedding_dim))
        return Code(Call(Module(), (positions,)), make)
