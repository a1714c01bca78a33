"""Layers that arrange axes, against PyTorch."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest
import torch

from designer.core.code import Item, Method, Ref
from designer.core.layer import Examined, Layer, examine
from designer.core.size import UNKNOWN, Size, free, variable
from designer.core.tensor import ANYTHING, Tensor
from designer.layers.reduce import Mean
from designer.layers.shape import (
    Flatten,
    Permute,
    Reshape,
    Select,
    Slice,
    Split,
    Squeeze,
    Transpose,
    Unflatten,
    Unsqueeze,
)
from tests.layers.oracle import check, t

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

B, T = free("B"), free("T")
SHAPES: tuple[tuple[int, ...], ...] = ((), (5,), (0,), (2, 3), (2, 3, 4), (2, 1, 6), (2, 3, 4, 5))
DIMS = (-5, -4, -3, -2, -1, 0, 1, 2, 3, 4)
PAIRS = tuple(itertools.product((-4, -2, -1, 0, 1, 3), repeat=2))


def grid(
    kind: str,
    options: Iterable[dict[str, Any]],
    function: Callable[[torch.Tensor, dict[str, Any]], Any],
    shapes: Sequence[tuple[int, ...]] = SHAPES,
    weaker: bool = True,
) -> None:
    """Hold all combinations against PyTorch; some must be accepted and some refused."""
    verdicts = []
    for chosen, shape in itertools.product(options, shapes):
        made = applied(function, chosen)
        result = check(kind, chosen, t(*shape), reference=made, weaker=weaker, flops=False)
        verdicts.append(result is not None)
        assert result is None or result.flops == 0
    assert any(verdicts)
    assert not all(verdicts)


def applied(
    function: Callable[[torch.Tensor, dict[str, Any]], Any], options: dict[str, Any]
) -> Callable[[], Callable[[torch.Tensor], Any]]:
    """Makes `function` with its options."""
    return lambda: lambda x: function(x, options)


def outputs(examined: Examined) -> list[str]:
    """The shapes that are known, as people read them."""
    assert examined.result is not None
    return [str(tensor) for tensor in examined.result.outputs]


def remarks(examined: Examined) -> list[tuple[str, str]]:
    """What is said, and how gravely."""
    return [(remark.severity, str(remark.message)) for remark in examined.remarks]


def test_flatten() -> None:
    options = [{}, *({"start_dim": a, "end_dim": b} for a, b in PAIRS)]
    grid("Flatten", options, lambda x, o: torch.nn.Flatten(**o)(x))


def test_flatten_multiplies_free_axes() -> None:
    x = Tensor((B, 128, free("H"), free("W")))
    assert outputs(examine(Flatten(), {"x": x})) == ["[B, 128*H*W]"]
    assert outputs(examine(Flatten(), {"x": t(B, 128, 2, 2)})) == ["[B, 512]"]
    assert outputs(examine(Flatten(), {"x": ANYTHING})) == ["[?, ?]"]
    assert outputs(examine(Flatten(-2), {"x": Tensor((3, 4), partial=True)})) == ["[…, 12]"]
    assert outputs(examine(Flatten(1, 2), {"x": Tensor((3, 4), partial=True)})) == ["[…]"]


@pytest.mark.parametrize("dim", [-4, -2, -1, 0, 1, 3])
def test_unflatten(dim: int) -> None:
    sizes = [(), (1, -1), (-1,), (2, -1), (-1, -1), (2, 2), (3, 2), (0, -1), (0, 3), (1, 6, 1)]
    shapes = [*SHAPES, (6, 6, 6, 6, 6)]
    for size, shape in itertools.product(sizes, shapes):
        options = {"dim": dim, "unflattened_size": size}
        check("Unflatten", options, t(*shape), reference=unflatten(options))


def unflatten(options: dict[str, Any]) -> Callable[[], Callable[[torch.Tensor], torch.Tensor]]:
    return lambda: torch.nn.Unflatten(**options)


def test_unflatten_into_heads() -> None:
    width = variable("d_model", 768, divisors=("n_heads",))
    heads = variable("n_heads", 12)
    into = Unflatten(-1, (heads, width // heads))
    examined = examine(into, {"x": Tensor((B, T, width))})
    assert outputs(examined) == ["[B, T, n_heads, d_model//n_heads]"]
    assert remarks(examined) == []


def test_unflatten_that_fits_at_these_values_only() -> None:
    width, heads = variable("d_model", 768), variable("n_heads", 12)
    into = Unflatten(-1, (heads, width // heads))
    ((severity, sentence),) = remarks(examine(into, {"x": Tensor((B, T, width))}))
    assert severity == "hint"
    assert sentence.endswith("true at these values only.")


def test_reshape() -> None:
    sizes = [(), (-1,), (6,), (2, -1), (-1, 3), (-1, -1), (3, 2), (4, 6), (0, -1), (0, 5), (-1, 5)]
    sizes += [(2, 3, 4), (2, 12), (24,), (1, 5, 1), (120,), (-1, 2, 2, 2)]
    shapes = [*SHAPES, (0, 5), (1,), (1, 1)]
    grid("Reshape", [{"shape": size} for size in sizes], lambda x, o: x.reshape(o["shape"]), shapes)


@pytest.mark.parametrize(
    ("shape", "given", "made"),
    [
        ((B, 512), (B, 8, 64), "[B, 8, 64]"),
        ((B, 512), (-1, 64), "[8*B, 64]"),
        ((B, T, 768), (B, T, 12, -1), "[B, T, 12, 64]"),
        ((B, T, 768), (-1, 12, 64), "[B*T, 12, 64]"),
        ((B, T, 768), (-1, T, 64), "[12*B, T, 64]"),
    ],
)
def test_reshape_solves_the_open_size(
    shape: tuple[Size, ...], given: tuple[Size, ...], made: str
) -> None:
    examined = examine(Reshape(given), {"x": Tensor(shape)})
    assert outputs(examined) == [made]
    assert remarks(examined) == []


def test_reshape_counts_what_does_not_fit() -> None:
    examined = examine(Reshape((B, 10)), {"x": t(B, 128, 2, 2)})
    text = "Reshape cannot make [B, 10] of [B, 128, 2, 2]: 512 elements each."
    assert remarks(examined) == [("error", text)]
    assert outputs(examined) == ["[B, 10]"]
    examined = examine(Reshape((5, 5)), {"x": t(3, 4)})
    assert remarks(examined) == [("error", "Reshape cannot make [5, 5] of [3, 4]: 12 elements.")]


def test_reshape_that_cannot_be_checked() -> None:
    examined = examine(Reshape((-1, 3)), {"x": Tensor((B, 4))})
    assert outputs(examined) == ["[4*B//3, 3]"]
    ((severity, sentence),) = remarks(examined)
    assert severity == "hint"
    assert sentence.endswith("cannot be checked.")


def test_reshape_by_a_variable_that_is_zero() -> None:
    examined = examine(Reshape((-1, B, variable("z", 0))), {"x": t(B, 4)})
    assert [severity for severity, _ in remarks(examined)] == ["error"]


def test_permute() -> None:
    orders = [*itertools.permutations(range(3)), (), (0,), (1, 0), (-1, 0, 1), (0, 1, 1), (0, 1, 3)]
    orders += [(0, 2, 3, 1), (0, -1), (-3, -1, -2)]
    grid("Permute", [{"dims": order} for order in orders], lambda x, o: x.permute(o["dims"]))


def test_permute_keeps_the_axes_that_are_known() -> None:
    examined = examine(Permute((0, 2, 1)), {"x": Tensor((7, 8), partial=True)})
    assert outputs(examined) == ["[?, 8, 7]"]
    examined = examine(Permute((1, 0)), {"x": Tensor((7, 8, 9), partial=True)})
    assert [severity for severity, _ in remarks(examined)] == ["error"]


def test_transpose() -> None:
    options = [{"dim0": a, "dim1": b} for a, b in PAIRS]
    grid("Transpose", options, lambda x, o: x.transpose(o["dim0"], o["dim1"]))


def test_transpose_of_the_last_axes_of_a_partial_tensor() -> None:
    examined = examine(Transpose(), {"x": Tensor((8,), partial=True)})
    assert outputs(examined) == ["[…, 8, ?]"]
    assert outputs(examine(Transpose(1, 2), {"x": Tensor((8,), partial=True)})) == ["[…]"]


def test_squeeze() -> None:
    dims = [*DIMS, (0, 1), (1,), (), (0, -1), (1, 1), (2, 0), (-4, -1)]
    options = [{}, *({"dim": dim} for dim in dims)]
    shapes = [*SHAPES, (1,), (1, 1), (1, 3, 1, 1), (0, 1)]
    grid(
        "Squeeze",
        options,
        lambda x, o: x.squeeze(o["dim"]) if o else x.squeeze(),
        shapes,
        weaker=False,
    )


def test_squeeze_of_a_free_axis() -> None:
    examined = examine(Squeeze(), {"x": t(B, 1, 10)})
    assert outputs(examined) == ["[B, 10]"]
    text = "Squeeze keeps B, and drops it where it is 1."
    assert remarks(examined) == [("hint", text)]
    examined = examine(Squeeze(1), {"x": t(B, 1, 10)})
    assert outputs(examined) == ["[B, 10]"]
    assert remarks(examined) == []
    examined = examine(Squeeze(1), {"x": t(B, variable("n", 1), 10)})
    assert outputs(examined) == ["[B, 10]"]
    assert [severity for severity, _ in remarks(examined)] == ["hint"]
    assert outputs(examine(Squeeze(), {"x": t(B, UNKNOWN, 10)})) == ["[…, 10]"]


def test_unsqueeze() -> None:
    grid("Unsqueeze", [{"dim": dim} for dim in (*DIMS, -6, 5)], lambda x, o: x.unsqueeze(o["dim"]))


def test_unsqueeze_of_a_partial_tensor() -> None:
    x = Tensor((8,), partial=True)
    assert outputs(examine(Unsqueeze(-1), {"x": x})) == ["[…, 8, 1]"]
    assert outputs(examine(Unsqueeze(-3), {"x": x})) == ["[…, 1, ?, 8]"]
    assert outputs(examine(Unsqueeze(1), {"x": x})) == ["[…]"]


ENDS = (None, 0, 1, 2, -1, -2)


def sliced(x: torch.Tensor, options: dict[str, Any]) -> torch.Tensor:
    dim = options["dim"]
    where = slice(options.get("start"), options.get("stop"), options.get("step", 1))
    if not -x.dim() <= dim < x.dim():
        raise IndexError(dim)
    return x[(slice(None),) * (dim % x.dim()) + (where,)]


@pytest.mark.parametrize("step", [1, 2, 3])
def test_slice(step: int) -> None:
    options = [
        {"dim": dim, "start": a, "stop": b, "step": step}
        for dim, a, b in itertools.product((-2, 0, 1), ENDS, ENDS)
    ]
    shapes: list[tuple[int, ...]] = [(), (5,), (6, 5)]
    grid("Slice", options, sliced, shapes, weaker=False)


@pytest.mark.parametrize(("start", "stop"), [(9, None), (-9, None), (None, 9), (None, -9), (4, 2)])
def test_slice_beyond_the_ends(start: int | None, stop: int | None) -> None:
    options = {"dim": 1, "start": start, "stop": stop, "step": 1}
    for size in (0, 1, 3, 9, 12):
        made = check(
            "Slice",
            options,
            t(2, size),
            reference=lambda: lambda x: sliced(x, options),
            weaker=False,
        )
        assert made is not None


@pytest.mark.parametrize(
    ("cut", "made"),
    [
        (Slice(1, 1), "[B, T - 1, 8]"),
        (Slice(1, None, -1), "[B, T - 1, 8]"),
        (Slice(1, -4, None), "[B, 4, 8]"),
        (Slice(1, 2, -2), "[B, T - 4, 8]"),
        (Slice(1, None, T), "[B, T, 8]"),
        (Slice(1, None, 128), "[B, min(128, T), 8]"),
        (Slice(1, None, None, 2), "[B, (T + 1)//2, 8]"),
        (Slice(-1, None, variable("n", 5)), "[B, T, min(8, n)]"),
    ],
)
def test_slice_of_a_free_axis(cut: Slice, made: str) -> None:
    assert outputs(examine(cut, {"x": Tensor((B, T, 8))})) == [made]


def test_slice_refuses_a_step_backwards() -> None:
    examined = examine(Slice(0, None, None, -1), {"x": t(4)})
    assert remarks(examined) == [("error", "Slice needs a step of at least 1, got -1.")]


def test_select() -> None:
    options = [{"dim": dim, "index": index} for dim in DIMS for index in (0, 1, 2, 3, -1, -3, -4)]
    grid("Select", options, lambda x, o: torch.select(x, o["dim"], o["index"]))


def test_select_of_a_free_axis() -> None:
    assert outputs(examine(Select(), {"x": t(B, T, 8)})) == ["[B, 8]"]
    assert outputs(examine(Select(1, -1), {"x": t(B, T, 8)})) == ["[B, 8]"]
    assert outputs(examine(Select(-2), {"x": Tensor((8,), partial=True)})) == ["[…, 8]"]


@pytest.mark.parametrize("chunks", [1, 2, 3, 5])
def test_split_into_equal_parts(chunks: int) -> None:
    options = [{"chunks": chunks, "dim": dim} for dim in (-3, -1, 0, 1, 2)]

    def parts(x: torch.Tensor, chosen: dict[str, Any]) -> Any:
        # PyTorch makes fewer parts where the axis is short; here the number of ports is fixed.
        made = x.chunk(**chosen)
        if len(made) != chunks:
            raise ValueError(f"{len(made)} parts")
        return made

    shapes = [*SHAPES, (9,), (10, 6), (3, 3, 3)]
    grid("Split", options, parts, shapes, weaker=chunks != 1)


def test_split_into_given_sizes() -> None:
    sizes = [(), (5,), (2, 3), (1, 1, 3), (0, 2), (4, 2), (2, 2, 2), (6, 0)]
    options = [{"sizes": size, "dim": dim} for size in sizes for dim in (-2, -1, 0, 1)]

    def parts(x: torch.Tensor, chosen: dict[str, Any]) -> Any:
        if not chosen["sizes"]:
            raise ValueError("no port")
        return torch.split_with_sizes(x, chosen["sizes"], dim=chosen["dim"])

    grid("Split", options, parts, [*SHAPES, (6, 5)])


def test_split_of_a_symbolic_axis() -> None:
    width = variable("d_model", 768)
    examined = examine(Split(3, dim=-1), {"x": t(B, T, 3 * width)})
    assert outputs(examined) == ["[B, T, d_model]"] * 3
    examined = examine(Split(2, dim=1), {"x": t(B, T, 8)})
    assert outputs(examined) == ["[B, (T + 1)//2, 8]", "[B, T//2, 8]"]
    examined = examine(Split(sizes=(width, 8), dim=-1), {"x": t(B, width + 8)})
    assert outputs(examined) == ["[B, d_model]", "[B, 8]"]
    examined = examine(Split(sizes=(4, 4), dim=-1), {"x": t(B, 9)})
    assert remarks(examined) == [("error", "Split needs 8 along dim -1, got 9.")]


def test_mean() -> None:
    dims = [*DIMS, (0, 1), (-1,), (), (0, -1), (1, 1), (2, 3)]
    options: list[dict[str, Any]] = [{}, {"keepdim": True}]
    options += [{"dim": dim, "keepdim": keep} for dim in dims for keep in (False, True)]

    def mean(x: torch.Tensor, chosen: dict[str, Any]) -> torch.Tensor:
        return x.mean(**({"dim": None} | chosen))

    grid("Mean", options, mean)


@pytest.mark.parametrize("dtype", ["float64", "bfloat16", "int64", "bool", "complex64", "uint8"])
def test_mean_takes_floating_point_numbers(dtype: str) -> None:
    check("Mean", {"dim": 1}, t(2, 3, dtype=dtype), reference=lambda: lambda x: x.mean(1))


def test_mean_over_an_image() -> None:
    x = t(B, 512, free("H"), free("W"))
    assert outputs(examine(Mean((2, 3)), {"x": x})) == ["[B, 512]"]
    assert outputs(examine(Mean((-2, -1), True), {"x": x})) == ["[B, 512, 1, 1]"]
    partial = Tensor((512, 7, 7), partial=True)
    assert outputs(examine(Mean((-2, -1)), {"x": partial})) == ["[…, 512]"]
    assert outputs(examine(Mean(), {"x": partial})) == ["[]"]


@pytest.mark.parametrize("dtype", ["int64", "float16", "bool"])
def test_shapes_are_made_in_any_dtype(dtype: str) -> None:
    x = t(2, 6, dtype=dtype)
    check("Flatten", {"start_dim": 0}, x, reference=lambda: lambda x: x.flatten())
    check("Transpose", {}, x, reference=lambda: lambda x: x.transpose(0, 1))
    check("Split", {"dim": 1}, x, reference=lambda: lambda x: x.chunk(2, 1))


@pytest.mark.parametrize(
    ("layer", "caption"),
    [
        (Flatten(), ""),
        (Flatten(0, -2), "0 … −2"),
        (Unflatten(-1, (8, -1)), "−1 → 8, −1"),
        (Reshape((B, -1)), "B, −1"),
        (Permute((0, 2, 1)), "0, 2, 1"),
        (Transpose(), "−2 ↔ −1"),
        (Squeeze(), ""),
        (Squeeze(1), "1"),
        (Unsqueeze(-1), "−1"),
        (Slice(1, 1), "1:"),
        (Slice(1, None, -1, 2), ":−1:2"),
        (Select(1, -1), "−1"),
        (Split(3), "÷ 3"),
        (Split(sizes=(2, 3)), "2 + 3"),
        (Mean((2, 3)), "2, 3"),
    ],
)
def test_captions(layer: Layer, caption: str) -> None:
    inputs = {"x": ANYTHING}
    result = examine(layer, inputs).result
    assert result is not None
    assert layer.caption(result, inputs) == caption


@pytest.mark.parametrize(
    ("layer", "use"),
    [
        (Flatten(), Method(Ref("x"), "flatten", (1,))),
        (Flatten(0, 2), Method(Ref("x"), "flatten", (0, 2))),
        (Select(), Item(Ref("x"), (slice(None), 0))),
        (Select(-1, 2), Item(Ref("x"), (..., 2))),
        (Select(0, 2), Item(Ref("x"), 2)),
        (Slice(1, 1), Item(Ref("x"), (slice(None), slice(1, None)))),
        (Slice(-2, None, -1), Item(Ref("x"), (..., slice(None, -1), slice(None)))),
        (Split(3, dim=-1), Method(Ref("x"), "chunk", (3,), (("dim", -1),))),
        (Split(sizes=(2, 3)), Method(Ref("x"), "split", ((2, 3),))),
        (Mean((2, 3)), Method(Ref("x"), "mean", ((2, 3),))),
        (Mean((1,), True), Method(Ref("x"), "mean", (1,), (("keepdim", True),))),
        (Mean(), Method(Ref("x"), "mean")),
        (Permute((0, 2, 1)), Method(Ref("x"), "permute", (0, 2, 1))),
    ],
)
def test_code_reads_as_people_write_it(layer: Layer, use: object) -> None:
    result = examine(layer, {"x": ANYTHING}).result
    assert result is not None
    assert result.code is not None
    assert result.code.use == use
