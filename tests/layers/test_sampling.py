"""Sampling, spectra and products of vectors, against PyTorch."""

from __future__ import annotations

import itertools
from functools import partial
from typing import Any, cast

import pytest
import torch
from torch.nn import functional as F  # noqa: N812 (as everybody calls it)

from designer.core.layer import examine
from designer.core.size import free
from designer.core.tensor import DTYPE_BYTES, Tensor
from tests.layers.oracle import check, made, t

SHAPES = ((), (4,), (2, 3), (2, 1), (3, 4, 5))


@pytest.mark.parametrize("align", [False, True])
@pytest.mark.parametrize("mode", ["bilinear", "nearest", "bicubic"])
def test_sampling(align: bool, mode: str) -> None:
    images = ((2, 3, 4, 5), (2, 3, 4, 5, 6), (3, 4, 5), (1, 3, 4, 5))
    grids = ((2, 6, 7, 2), (2, 6, 7, 3), (2, 4, 6, 7, 3), (2, 4, 6, 7, 2), (6, 7, 2))
    options = {"mode": mode, "align_corners": align}
    for image, grid in itertools.product(images, grids):
        reference = lambda: partial(F.grid_sample, **options)  # type: ignore[arg-type]  # noqa: E731
        check("GridSample", options, t(*image), t(*grid), reference=reference)


def test_dtypes_of_sampling() -> None:
    reference = lambda: partial(F.grid_sample, align_corners=False)  # noqa: E731
    for a, b in itertools.product(("float32", "float64", "int64"), repeat=2):
        fed = t(2, 3, 4, 5, dtype=a), t(2, 6, 7, 2, dtype=b)
        check("GridSample", {}, *fed, reference=reference)


def test_affine_grids() -> None:
    sizes = ((2, 3, 4, 5), (2, 3, 4, 5, 6), (2, 3, 4))
    for size, theta in itertools.product(sizes, ((2, 2, 3), (2, 3, 4), (1, 2, 3), (2, 3))):
        reference = lambda size=size: lambda x: F.affine_grid(x, size, align_corners=False)  # noqa: E731
        check("AffineGrid", {"size": size}, t(*theta), reference=reference, flops=False)


@pytest.mark.parametrize("norm", ["backward", "forward", "ortho"])
def test_spectra(norm: str) -> None:
    for shape, dim, n in itertools.product(SHAPES, (-2, -1, 0, 1), (None, 1, 6)):
        options = {"n": n, "dim": dim, "norm": norm}
        reference = lambda options=options: partial(torch.fft.rfft, **options)  # noqa: E731
        check("RFFT", options, t(*shape), reference=reference)
    assert check("RFFT", {}, t(0), reference=lambda: torch.fft.rfft) is None
    for shape, dims in itertools.product((*SHAPES, (2, 0)), ((-1,), (0,), (-2, -1), (0, 0))):
        whole = lambda dims=dims: partial(torch.fft.fftn, dim=dims, norm=norm)  # noqa: E731
        check("FFT", {"dim": dims, "norm": norm}, t(*shape), reference=whole)


@pytest.mark.parametrize("dtype", DTYPE_BYTES)
def test_dtypes_of_spectra(dtype: str) -> None:
    check("RFFT", {}, t(4, dtype=dtype), reference=lambda: torch.fft.rfft)
    check("FFT", {}, t(4, dtype=dtype), reference=lambda: torch.fft.fft)


@pytest.mark.filterwarnings("ignore:A window was not provided")
def test_frames() -> None:
    for shape, n_fft, hop, center in itertools.product(
        ((40,), (2, 40), (2, 2, 40), (5,)), (8, 9, 16, 64), (None, 3), (True, False)
    ):
        options = {"n_fft": n_fft, "hop_length": hop, "center": center}
        reference = lambda o=options: partial(torch.stft, return_complex=True, **o)  # noqa: E731
        check("STFT", options, t(*shape), reference=reference, flops=False)
    result = examine(made("STFT", n_fft=8, hop_length=2), {"x": Tensor((2, free("L")))}).result
    assert result is not None
    assert str(result.outputs[0]) == "[2, 5, L//2 + 1]"


@pytest.mark.parametrize("dim", [(-1,), (-2, -1), (0, 1)])
def test_sizes_of_spectra(dim: tuple[int, ...]) -> None:
    shapes, sizes = ((4,), (3, 4), (2, 3, 4), (2, 0)), (1, 6, -1, 0, -2)
    for shape, s in itertools.product(shapes, itertools.product(sizes, repeat=len(dim))):
        reference = lambda s=s: partial(torch.fft.fftn, s=s, dim=dim)  # noqa: E731
        check("FFT", {"s": s, "dim": dim}, t(*shape), reference=reference)
    for s in ((2,), (2, 3, 4)):
        reference = lambda s=s: partial(torch.fft.fftn, s=s, dim=dim)  # noqa: E731
        check("FFT", {"s": s, "dim": dim}, t(2, 3, 4), reference=reference)


WINDOWS = (None, (16, "float32"), (12, "float32"), (16, "float64"), (16, "complex64"))


@pytest.mark.filterwarnings("ignore:A window was not provided")
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "complex64", "int64"])
def test_windows(dtype: str) -> None:
    for window, onesided, length in itertools.product(WINDOWS, (True, False), (None, 12, 20)):
        options = {"n_fft": 16, "hop_length": 4, "onesided": onesided, "win_length": length}
        frames: Any = partial(cast("Any", torch.stft), return_complex=True, **options)
        reference = lambda f=frames: lambda x, w=None: f(x, window=w)  # noqa: E731
        fed = [t(2, 40, dtype=dtype)] + ([t(window[0], dtype=window[1])] if window else [])
        check("STFT", options, *fed, reference=reference, flops=False)


@pytest.mark.filterwarnings("ignore:A window was not provided")
@pytest.mark.parametrize("mode", ["reflect", "constant", "replicate", "circular"])
def test_ends_of_signals(mode: str) -> None:
    for length, center in itertools.product((3, 8, 9, 20), (True, False)):
        options = {"n_fft": 16, "hop_length": 4, "center": center, "pad_mode": mode}
        reference = lambda o=options: partial(torch.stft, return_complex=True, **o)  # noqa: E731
        check("STFT", options, t(2, length), reference=reference, flops=False)


@pytest.mark.parametrize("dtype", DTYPE_BYTES)
def test_parts_of_complex_numbers(dtype: str) -> None:
    for shape in ((), (3,), (2, 3)):
        check("ViewAsReal", {}, t(*shape, dtype=dtype), reference=lambda: torch.view_as_real)


def test_vector_products() -> None:
    shapes = ((), (3,), (2, 3), (1, 3), (3, 2), (2, 2))
    for a, b, dim in itertools.product(shapes, shapes, (-2, -1, 0)):
        reference = lambda dim=dim: partial(torch.linalg.cross, dim=dim)  # noqa: E731
        check("Cross", {"dim": dim}, t(*a), t(*b), reference=reference)


def test_distances() -> None:
    shapes = ((), (3,), (2, 3), (4, 3), (2, 4, 3), (1, 2, 3), (2, 2))
    for a, b in itertools.product(shapes, shapes):
        check("CDist", {}, t(*a), t(*b), reference=lambda: torch.cdist, flops=False)
    for dtype in DTYPE_BYTES:
        fed = t(2, 3, dtype=dtype), t(4, 3, dtype=dtype)
        check("CDist", {"p": 1.0}, *fed, reference=lambda: partial(torch.cdist, p=1.0))


@pytest.mark.parametrize("indexing", ["ij", "xy"])
def test_coordinates(indexing: str) -> None:
    reference = lambda: lambda a, b: torch.meshgrid(a, b, indexing=indexing)  # noqa: E731
    for a, b in itertools.product(((), (3,), (2, 3)), repeat=2):
        check("Meshgrid", {"indexing": indexing}, t(*a), t(*b), reference=reference)
    check("Meshgrid", {}, t(3), t(3, dtype="int64"), reference=reference)
