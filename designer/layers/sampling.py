"""Sampling at places of a grid, spectra, and products of vectors in space."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from designer.core.code import Code, Ref, call
from designer.core.layer import (
    Layer,
    Port,
    Result,
    layer,
)
from designer.core.option import option
from designer.core.size import UNKNOWN, Size, value
from designer.core.tensor import Tensor
from designer.core.work import EACH, MOVING
from designer.layers.arith import same_dtype
from designer.layers.axes import (
    FIRST_AXIS,
    LAST_AXIS,
    broadcast,
    distinct,
    joint_dtype,
    located,
    some_axis,
)
from designer.layers.order import resized, size_along
from designer.layers.rules import COMPLEX, FLOATS, NUMBERS, REAL, check_dtype, known_zero

if TYPE_CHECKING:
    from designer.core.layer import Inputs, LayerError

NORMS = ("backward", "forward", "ortho")
NORM = "Where the spectrum is scaled: going back, going there, or by √n both ways."
SPECTRA = {"float64": "complex128", "complex64": "complex64", "complex128": "complex128"}
"""The dtype of a spectrum; of all other dtypes it is complex64."""
HALVES = ("float16", "bfloat16")


@layer("GridSample", family="pool", aliases=("spatial transformer", "warp", "网格采样"))
class GridSample(Layer):
    """Values of an image at places that a grid names, from −1 to 1 on each axis."""

    work = EACH

    mode: str = option(
        "bilinear",
        "How values between pixels are found.",
        choices=("bilinear", "nearest", "bicubic"),
    )
    padding_mode: str = option(
        "zeros",
        "What lies outside the image.",
        choices=("zeros", "border", "reflection"),
    )
    align_corners: bool = option(False, "−1 and 1 are the middles of the outer pixels.")

    def infer(self, x: Tensor, grid: Tensor) -> Result:
        """[N, C, H, W] and [N, h, w, 2] to [N, C, h, w]; [N, C, D, H, W] and [N, d, h, w, 3]."""
        self.ranked(x, (4, 5), "[N, C, H, W] or [N, C, D, H, W]")
        rank = grid.rank if x.rank is None else x.rank
        self.ranked(grid, (4, 5) if x.rank is None else (x.rank,), "[N, ..., axes]", "grid")
        check_dtype(self, x, FLOATS)
        same_dtype(self, x, grid, "grid")
        if rank == 5 and self.mode == "bicubic":
            raise self.refuse("{layer} takes bicubic of 4 axes, got 5.", option="mode")
        code = call("F.grid_sample", Ref("x"), Ref("grid"), **self._keywords())
        return Result((self._sampled(x, grid, rank),), code=code)

    def _keywords(self) -> dict[str, object]:
        usual = {"mode": "bilinear", "padding_mode": "zeros"}
        given = {name: getattr(self, name) for name in usual if getattr(self, name) != usual[name]}
        return {**given, "align_corners": self.align_corners}

    def _sampled(self, x: Tensor, grid: Tensor, rank: int | None) -> Tensor:
        if rank is None:
            return Tensor((), x.dtype, partial=True)
        image = x.last(rank) if x.partial else x.shape
        places = grid.last(rank) if grid.partial else grid.shape
        batch = self.same(image[0], places[0], self._unlike(x, grid, image[0], places[0]))
        self.same(rank - 2, places[-1], self._unlike(x, grid, rank - 2, places[-1]))
        for size in image[2:]:
            if value(size) == 0:
                raise self.refuse("{layer} needs pixels, got {got}.", port="x", got=x)
        return x.with_shape((batch, image[1], *places[1:-1]))

    def _unlike(self, x: Tensor, grid: Tensor, expected: Size, got: Size) -> LayerError:
        return self.refuse(
            "{layer} cannot sample {x} at {grid}: {expected} against {got}.",
            port="grid",
            x=x,
            grid=grid,
            expected=expected,
            got=got,
        )


@layer("AffineGrid", family="pool", aliases=("spatial transformer", "仿射网格"))
class AffineGrid(Layer):
    """The grid of places that an affine map makes of the pixels of an image: y = θ · [u, v, 1]ᵀ."""

    work = EACH

    size: tuple[Size, ...] = option((1, 3, 32, 32), "Shape of the image to come.", min=1)
    align_corners: bool = option(False, "−1 and 1 are the middles of the outer pixels.")

    def infer(self, theta: Tensor) -> Result:
        """[N, 2, 3] to [N, H, W, 2], or [N, 3, 4] to [N, D, H, W, 3]."""
        axes = len(self.size) - 2
        if axes not in (2, 3):
            raise self.refuse(
                "{layer} needs a size of 4 or 5 axes, got {got}.", option="size", got=axes + 2
            )
        self.ranked(theta, (3,), f"[N, {axes}, {axes + 1}]", "theta")
        check_dtype(self, theta, FLOATS, "theta")
        expected = (self.size[0], axes, axes + 1)
        got = theta.last(3)
        refusal = self.refuse(
            "{layer} expects {expected}, got {got}.",
            port="theta",
            option="size",
            expected=Tensor(expected),
            got=theta,
        )
        for one, other in zip(expected, got, strict=True):
            self.same(one, other, refusal)
        out = theta.with_shape((self.size[0], *self.size[2:], axes))
        sides = {"align_corners": self.align_corners}
        code = call("F.affine_grid", Ref("theta"), self.size, **sides)
        return Result((out,), code=code)


class Spectrum(Layer):
    """A discrete Fourier transform."""

    norm: str

    def check_precision(self, x: Tensor) -> None:
        """Refuse halves, for which PyTorch has no transform."""
        if not x.partial and x.dtype in HALVES:
            raise self.refuse("{layer} takes no halves, got {got}.", port="x", got=x.dtype)

    def check_values(self, x: Tensor) -> None:
        """Refuse a tensor without elements."""
        if any(map(known_zero, x.shape)):
            raise self.refuse("{layer} needs values, got {got}.", port="x", got=x)

    def scale(self) -> dict[str, object]:
        """The scaling, where it is not the usual one."""
        return {} if self.norm == "backward" else {"norm": self.norm}

    def caption(self, result: Result, inputs: Inputs) -> str:
        """Nothing: the name says it all."""
        return ""


@layer("RFFT", family="shape", aliases=("real Fourier transform", "spectrum", "傅里叶变换"))
class RFFT(Spectrum):
    """Fourier transform of real numbers, n // 2 + 1 of n stay: y[f] = Σ x[t] · e^(−2πi f t / n)."""

    n: Size | None = option(
        None, "Values that are transformed, cut or filled with 0; all when empty.", min=1
    )
    dim: int = option(-1, "The axis.", min=FIRST_AXIS, max=LAST_AXIS)
    norm: str = option("backward", NORM, choices=NORMS)

    def infer(self, x: Tensor) -> Result:
        """[..., n, ...] to [..., n // 2 + 1, ...] in complex numbers."""
        self.check_precision(x)
        check_dtype(self, x, REAL)
        some_axis(self, x)
        size = size_along(self, x, self.dim)
        length = self.n if self.n is not None else UNKNOWN if size is None else size
        out = resized(self, x, self.dim, length // 2 + 1)
        self.check_values(resized(self, x, self.dim, length))
        given = {"n": self.n} if self.n is not None else {}
        along = {} if self.dim == -1 else {"dim": self.dim}
        code = call("torch.fft.rfft", Ref("x"), **given, **along, **self.scale())
        return Result((out.with_dtype(SPECTRA.get(x.dtype, "complex64")),), code=code)


@layer("FFT", family="shape", aliases=("Fourier transform", "spectrum", "fft2", "傅里叶变换"))
class FFT(Spectrum):
    """Discrete Fourier transform along some axes: y[f] = Σ x[t] · e^(−2πi f t / n)."""

    dim: int | tuple[int, ...] = option(-1, "The axes.", min=FIRST_AXIS, max=LAST_AXIS)
    norm: str = option("backward", NORM, choices=NORMS)
    s: Size | tuple[Size, ...] | None = option(
        None, "Values that are transformed along each axis, cut or filled with 0; −1 for all."
    )

    def infer(self, x: Tensor) -> Result:
        """[...] to the same shape in complex numbers, but for the sizes that are given."""
        self.check_precision(x)
        some_axis(self, x)
        dims = self.dim if isinstance(self.dim, tuple) else (self.dim,)
        places = located(self, x, *dims)
        if places is not None:
            distinct(self, places)
        out = self._cut(x, dims, self._sizes(dims))
        self.check_values(out)
        given = {} if self.s is None else {"s": self._sizes(dims)}
        code = call("torch.fft.fftn", Ref("x"), **given, dim=dims, **self.scale())
        return Result((out.with_dtype(SPECTRA.get(x.dtype, "complex64")),), code=code)

    def _sizes(self, dims: tuple[int, ...]) -> tuple[Size, ...]:
        """The sizes that are given, −1 where an axis stays as it is."""
        if self.s is None:
            return (-1,) * len(dims)
        sizes = self.s if isinstance(self.s, tuple) else (self.s,)
        if len(sizes) != len(dims):
            raise self.refuse(
                "{layer} takes {expected} sizes, got {got}.",
                option="s",
                expected=len(dims),
                got=len(sizes),
            )
        for size in sizes:
            number = value(size)
            if number is not None and number < 1 and number != -1:
                raise self.refuse("{layer} cannot transform {got} values.", option="s", got=size)
        return sizes

    def _cut(self, x: Tensor, dims: tuple[int, ...], sizes: tuple[Size, ...]) -> Tensor:
        for dim, size in zip(dims, sizes, strict=True):
            if value(size) != -1:
                x = resized(self, x, dim, size)
        return x


PADDINGS = ("reflect", "constant", "replicate", "circular")


@layer("STFT", family="shape", aliases=("spectrogram", "short-time Fourier", "短时傅里叶变换"))
class STFT(Layer):
    """Spectra of overlapping frames of a signal: y[f, m] = Σ x[m·hop + t] · e^(−2πi f t / n)."""

    n_fft: int = option(400, "Values in a frame.", min=1)
    hop_length: int | None = option(
        None, "From one frame to the next; a quarter of n_fft when empty.", min=1
    )
    center: bool = option(True, "Frames stand around their time; the ends are padded.")
    normalized: bool = option(False, "Scale by 1 / √n_fft.")
    onesided: bool = option(True, "Keep the half that real signals need.")
    win_length: int | None = option(
        None, "Values in a frame that count, in its middle; n_fft when empty.", min=1
    )
    pad_mode: str = option("reflect", "What centred frames see beyond the ends.", choices=PADDINGS)

    def infer(self, x: Tensor, window: Tensor | None = None) -> Result:
        """[L] or [N, L] to [..., n_fft // 2 + 1, frames] in complex numbers."""
        self.ranked(x, (1, 2), "[N, L] or [L]")
        dtype = self._spectrum(x, window)
        hop = self.n_fft // 4 if self.hop_length is None else self.hop_length
        if hop < 1:
            raise self.refuse("{layer} needs a hop of 1 or more, got 0.", option="hop_length")
        self._check_window(window)
        frames = self._frames(x, hop)
        bins = self.n_fft // 2 + 1 if self.onesided else self.n_fft
        lead = x.lead(1) if x.rank is not None else replace(x, shape=())
        out = replace(lead, shape=(*lead.shape, bins, frames), dtype=dtype)
        return Result((out,), code=self._code(window))

    def _code(self, window: Tensor | None) -> Code:
        usual = {"hop_length": None, "win_length": None, "center": True, "pad_mode": "reflect"}
        usual |= {"normalized": False, "onesided": True}
        given = {name: getattr(self, name) for name in usual}
        keywords = {name: got for name, got in given.items() if got != usual[name]}
        weights = {} if window is None else {"window": Ref("window")}
        return call("torch.stft", Ref("x"), self.n_fft, **keywords, **weights, return_complex=True)

    def _spectrum(self, x: Tensor, window: Tensor | None) -> str:
        """The dtype of the spectra. PyTorch takes only floats, and half of real ones only."""
        check_dtype(self, x, (*FLOATS, *COMPLEX))
        joint = x.dtype if window is None else joint_dtype(x, window)
        if not x.partial and joint in HALVES:
            raise self.refuse("{layer} takes no halves, got {got}.", port="x", got=joint)
        if self.onesided and joint in COMPLEX:
            raise self.refuse("{layer} keeps half of real spectra only.", option="onesided")
        return SPECTRA.get(joint, "complex64")

    def _check_window(self, window: Tensor | None) -> None:
        """Refuse a window that is longer than a frame, or a tensor of another length."""
        length = self.n_fft if self.win_length is None else self.win_length
        if length > self.n_fft:
            raise self.refuse(
                "{layer} takes windows up to {expected}, got {got}.",
                option="win_length",
                expected=self.n_fft,
                got=length,
            )
        if window is not None:
            self.ranked(window, (1,), f"[{length}]", "window")
            refusal = self.refuse(
                "{layer} expects {expected}, got {got}.",
                port="window",
                expected=Tensor((length,)),
                got=window,
            )
            self.same(length, window.axis(-1), refusal)

    def _frames(self, x: Tensor, hop: int) -> Size:
        length = x.axis(-1)
        self._check_padding(x)
        whole = length + 2 * (self.n_fft // 2) if self.center else length
        rest = value(whole - self.n_fft)
        if rest is not None and rest < 0:
            raise self.refuse(
                "{layer} takes frames of {expected}, got {got}.",
                option="n_fft",
                port="x",
                expected=self.n_fft,
                got=length,
            )
        return (whole - self.n_fft) // hop + 1

    def _check_padding(self, x: Tensor) -> None:
        """Refuse a signal that is too short for the padding of its ends, or a batch of none."""
        room, half = value(x.axis(-1)), self.n_fft // 2
        needed = {"reflect": half + 1, "circular": half, "replicate": 1}.get(self.pad_mode, 0)
        if not self.center or room is None:
            return
        if room < needed or (needed and any(map(known_zero, x.shape))):
            raise self.refuse(
                "{layer} pads with {expected} values, got {got}.",
                option="n_fft",
                port="x",
                expected=half,
                got=x,
            )

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The frame."""
        return str(self.n_fft)


@layer("ViewAsReal", family="shape", aliases=("complex to real", "real and imaginary", "实部虚部"))
class ViewAsReal(Layer):
    """Parts of complex numbers side by side on a new last axis: y = [Re(x), Im(x)]."""

    def infer(self, x: Tensor) -> Result:
        """[...] in complex numbers to [..., 2] in floats."""
        check_dtype(self, x, COMPLEX)
        parts = {"complex128": "float64"}.get(x.dtype, "float32")
        code = call("torch.view_as_real", Ref("x"))
        return Result((replace(x, shape=(*x.shape, 2), dtype=parts),), code=code)

    def caption(self, result: Result, inputs: Inputs) -> str:
        """Nothing: the name says it all."""
        return ""


@layer("Cross", family="merge", aliases=("vector product", "cross product", "叉积"))
class Cross(Layer):
    """Vector product along an axis of 3: y = a × b; shapes broadcast."""

    dim: int = option(-1, "The axis of 3.", min=FIRST_AXIS, max=LAST_AXIS)

    def infer(self, a: Tensor, b: Tensor) -> Result:
        """[..., 3, ...] twice to the same shape."""
        if a.rank is not None and b.rank not in (None, a.rank):
            raise self.refuse("{layer} needs equal ranks, got {a} and {b}.", port="b", a=a, b=b)
        for port, x in (("a", a), ("b", b)):
            some_axis(self, x, port)
            size = size_along(self, x, self.dim)
            refusal = self.refuse("{layer} needs an axis of 3, got {got}.", port=port, got=x)
            self.same(3, UNKNOWN if size is None else size, refusal)
        out = broadcast(self, a, b, "b").with_dtype(joint_dtype(a, b))
        check_dtype(self, out, NUMBERS, "b")
        code = call("torch.linalg.cross", Ref("a"), Ref("b"), dim=self.dim)
        return Result((out,), code=code)

    def caption(self, result: Result, inputs: Inputs) -> str:
        """Nothing: the name says it all."""
        return ""


@layer("CDist", family="merge", aliases=("pairwise distances", "distance matrix", "距离矩阵"))
class CDist(Layer):
    """Distances of all pairs of rows: y[i, j] = |a[i] − b[j]|; axes before broadcast."""

    def elementwise(self, inputs: Inputs, result: Result) -> Size:
        """A difference, a power and a sum for each element of each pair of rows."""
        a = inputs["a"]
        return 3 * result.outputs[0].count * (a.axis(-1) if isinstance(a, Tensor) else UNKNOWN)

    p: float = option(2.0, "The norm of the distance.", min=0)

    def infer(self, a: Tensor, b: Tensor) -> Result:
        """[..., m, d] and [..., n, d] to [..., m, n]."""
        for port, x in (("a", a), ("b", b)):
            check_dtype(self, x, ("float32", "float64"), port)
            if x.rank is not None and x.rank < 2:
                raise self.refuse("{layer} expects [..., n, d], got {got}.", port=port, got=x)
        refusal = self.refuse(
            "{layer} needs rows of one size, got {a} and {b}.", port="b", a=a, b=b
        )
        self.same(a.axis(-1), b.axis(-1), refusal)
        lead = broadcast(self, a.lead(2), b.lead(2), "b").with_dtype(joint_dtype(a, b))
        out = replace(lead, shape=(*lead.shape, a.axis(-2), b.axis(-2)))
        given = {} if self.p == 2 else {"p": self.p}
        return Result((out,), code=call("torch.cdist", Ref("a"), Ref("b"), **given))

    def caption(self, result: Result, inputs: Inputs) -> str:
        """Nothing: the name says it all."""
        return ""


@layer("Meshgrid", family="merge", aliases=("coordinates", "grid", "网格坐标"), stem="grid")
class Meshgrid(Layer):
    """The coordinates of all points of a grid, one output for each axis."""

    work = MOVING

    indexing: str = option("ij", "Rows first, or columns first.", choices=("ij", "xy"))

    def outputs(self) -> tuple[Port, ...]:
        """The coordinates along each axis."""
        return (Port("rows"), Port("columns"))

    def infer(self, a: Tensor, b: Tensor) -> Result:
        """[m] and [n] to [m, n] twice, or to [n, m] with xy."""
        self.ranked(a, (0, 1), "[m] or []", "a")
        self.ranked(b, (0, 1), "[n] or []", "b")
        same_dtype(self, a, b, "b")
        sizes = (a.count, b.count) if self.indexing == "ij" else (b.count, a.count)
        code = call("torch.meshgrid", Ref("a"), Ref("b"), indexing=str(self.indexing))
        out = a.with_shape(sizes)
        return Result((out, out), code=replace(code, returns=("rows", "columns")))

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The order."""
        return str(self.indexing)
