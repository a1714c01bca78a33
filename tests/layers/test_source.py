"""Values without inputs, noise and casts, against PyTorch."""

from __future__ import annotations

import itertools

import pytest
import torch

from designer.core import count
from designer.core.layer import examine
from designer.core.size import free
from designer.core.tensor import DTYPE_BYTES
from designer.layers.source import Arange
from tests.core.drawing import Drawing
from tests.export.designs import exported
from tests.layers.oracle import Interpreter, check, known, made, refusal, t, verdict


def values(kind: str, **options: object) -> torch.Tensor:
    """What the code of a layer without inputs makes; its shape and dtype are as it says."""
    result = examine(made(kind, **options), {}).result
    assert result is not None
    assert result.code is not None
    tensor = Interpreter(result.code, {}).use()
    (said,) = result.outputs
    assert [known(size) for size in said.shape] == list(tensor.shape)
    assert getattr(torch, said.dtype) == tensor.dtype
    return tensor  # type: ignore[no-any-return]


@pytest.mark.parametrize("dtype", DTYPE_BYTES)
def test_constants(dtype: str) -> None:
    for shape, value in itertools.product(((), (3,), (2, 0), (2, 3)), (0.0, 1.0, 2.0, 0.5)):
        tensor = values("Constant", shape=shape, value=value, dtype=dtype)
        expected = torch.full(shape, value, dtype=getattr(torch, dtype))
        assert torch.equal(tensor, expected)


def test_counting() -> None:
    for start, end, step in itertools.product((-2, 0, 3), (-5, 0, 7), (-2, 1, 3)):
        try:
            expected = torch.arange(start, end, step)
        except RuntimeError:
            assert refusal(verdict("Arange", {"start": start, "end": end, "step": step}, {}))
        else:
            assert torch.equal(values("Arange", start=start, end=end, step=step), expected)
    assert refusal(verdict("Arange", {"step": 0}, {})) == "Arange needs a step other than 0."
    assert values("Arange", end=3, dtype="float32").dtype == torch.float32


def test_counting_to_a_free_size() -> None:
    result = examine(Arange(end=free("T")), {}).result
    assert result is not None
    assert str(result.outputs[0]) == "[T]"


@pytest.mark.parametrize("dtype", DTYPE_BYTES)
def test_casts(dtype: str) -> None:
    for other in DTYPE_BYTES:
        if dtype.startswith("complex") and not other.startswith("complex"):
            continue  # PyTorch warns that the imaginary part is lost
        target = getattr(torch, other)
        reference = lambda target=target: lambda x: x.to(target)  # noqa: E731
        assert check("Cast", {"dtype": other}, t(2, 3, dtype=dtype), reference=reference)


@pytest.mark.parametrize("dtype", DTYPE_BYTES)
def test_like_another(dtype: str) -> None:
    check("RandomNormal", {}, t(2, 3, dtype=dtype), reference=lambda: torch.randn_like)
    for value in (0.0, 1.0, 3.0):
        reference = lambda value=value: lambda x: torch.full_like(x, value)  # noqa: E731
        check("ConstantLike", {"value": value}, t(2, 3, dtype=dtype), reference=reference)


def test_what_a_module_holds_as_its_own() -> None:
    drawing = Drawing()
    x = drawing.input("B", 4, 8)
    hidden = drawing.add("Linear", x, out_features=8, name="hidden")
    offset = drawing.add("Parameter", shape=(4, 8), name="offset")
    steps = drawing.add("Buffer", shape=(), dtype="int64", name="steps")
    query = drawing.add("Parameter", shape=(8,), name="query")
    total = drawing.add("Add", hidden, offset, query, steps)
    drawing.add("Output", total)
    rows = list(count.rows(drawing.editor.analysis))
    keys = ["offset", "query", "steps", "hidden.weight", "hidden.bias"]
    assert [row.key for row in rows] == keys
    module = exported(drawing.editor.document)
    assert list(module.state_dict()) == keys
    assert {name for name, _ in module.named_parameters()} == {*keys} - {"steps"}
    shapes = [[known(axis) for axis in row.param.shape] for row in rows]
    assert [list(tensor.shape) for tensor in module.state_dict().values()] == shapes
    assert module(torch.randn(2, 4, 8)).shape == (2, 4, 8)


def test_a_held_tensor_may_be_tied() -> None:
    drawing = Drawing()
    x = drawing.input("B", 8)
    first = drawing.add("Parameter", shape=(8,), name="first")
    second = drawing.add("Parameter", shape=(8,), name="second")
    drawing.tie(second, first, "")
    drawing.add("Output", drawing.add("Add", x, first, second))
    module = exported(drawing.editor.document)
    assert list(module.state_dict()) == ["first", "second"]
    assert sum(p.numel() for p in module.parameters()) == 8
