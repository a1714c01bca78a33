"""Mamba: a state space model whose steps depend on the input, named as in transformers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from designer.core.code import Call, Code, Method, Module, Ref, Support
from designer.core.composite import Composite, Net, Value
from designer.core.layer import Layer, Result, layer
from designer.core.option import option
from designer.core.size import Size, ceil_div, product, value
from designer.layers.act import SiLU, Softplus
from designer.layers.conv import Conv1d
from designer.layers.linear import Linear
from designer.layers.math import Exp, Neg
from designer.layers.merge import Add, Multiply
from designer.layers.norm import RMSNorm
from designer.layers.rules import FLOATS, check_dtype
from designer.layers.shape import Slice, Split, Transpose
from designer.layers.source import Parameter

if TYPE_CHECKING:
    from designer.core.layer import Inputs
    from designer.core.tensor import Tensor

WIDTH = "Size of the last axis of the input; inferred when empty."
INNER = "Channels within; 2·d_model when empty."
STATE = "Numbers that each channel keeps from one position to the next."
KERNEL = "Positions that the convolution sees: its own and those before it."
RANK = "Size of what the step sizes are made of; a sixteenth of d_model when empty."
BIAS = "Add learned offsets to the first and the last projection."
SEQUENCES = "[B, T, C]"
RANK_DIVISOR = 16

SCAN = Support(
    "selective_scan",
    '''
def selective_scan(x: Tensor, delta: Tensor, a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """Run h = exp(delta a) h + delta b x along T; give c h for each position.

    x and delta are [B, T, D], a is [D, N], b and c are [B, T, N].
    """
    decay = torch.exp(delta.unsqueeze(-1) * a)
    inflow = (delta * x).unsqueeze(-1) * b.unsqueeze(-2)
    state = torch.zeros_like(inflow[:, 0])
    states = []
    for t in range(x.shape[1]):
        state = decay[:, t] * state + inflow[:, t]
        states.append(state)
    return (torch.stack(states, dim=1) @ c.unsqueeze(-1)).squeeze(-1)
''',
)


@layer(
    "SelectiveScan",
    family="rnn",
    aliases=("ssm", "state space model", "s6", "mamba scan", "选择性扫描", "状态空间模型"),
    title="Selective scan",
    stem="scan",
)
class SelectiveScan(Layer):
    """hₜ = exp(Δₜ a) hₜ₋₁ + Δₜ bₜ xₜ and yₜ = cₜ hₜ for each channel, as in Mamba."""

    def infer(self, x: Tensor, delta: Tensor, a: Tensor, b: Tensor, c: Tensor) -> Result:
        """x and delta [B, T, D], a [D, N], b and c [B, T, N] to [B, T, D]."""
        self._checked({"x": x, "delta": delta, "a": a, "b": b, "c": c})
        channels = self._joint("delta", delta.axis(-1), x.axis(-1))
        channels = self._joint("a", a.axis(-2), channels)
        state = self._joint("b", b.axis(-1), a.axis(-1))
        state = self._joint("c", c.axis(-1), state)
        lead = [x.axis(-3), x.axis(-2)]
        for port, other in (("delta", delta), ("b", b), ("c", c)):
            lead = [self._joint(port, other.axis(at - 3), size) for at, size in enumerate(lead)]
        y = x.with_shape((*lead, channels))
        code = Code(Call(SCAN, tuple(Ref(port.name) for port in self.inputs())))
        return Result((y,), flops=2 * product((*lead, channels, state)), code=code)

    def _checked(self, tensors: dict[str, Tensor]) -> None:
        for port, tensor in tensors.items():
            pattern = "[D, N]" if port == "a" else SEQUENCES
            self.ranked(tensor, (pattern.count(",") + 1,), pattern, port)
            check_dtype(self, tensor, FLOATS, port)
        if value(tensors["x"].axis(-2)) == 0:
            raise self.refuse("{layer} needs a position, got {got}.", port="x", got=tensors["x"])

    def _joint(self, port: str, got: Size, expected: Size) -> Size:
        """The size that an axis of a port shares with one of a port before it."""
        template = "{layer} needs {expected} at port {port}, got {got}."
        refusal = self.refuse(template, port=port, expected=expected, got=got)
        return self.same(expected, got, refusal)

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The size of the state of a channel."""
        a = inputs.get("a")
        return "" if a is None or isinstance(a, tuple) or not a.shape else f"state {a.axis(-1)}"


class Decays(Parameter):
    """Logarithms of how fast states fade; they start as ln 1, ln 2, … for each channel."""

    def infer(self) -> Result:
        """[D, N]."""
        channels, state = self.shape
        row = Method(Call("torch.arange", (1, state + 1)), "log")
        start = Method(row, "repeat", (channels, 1))
        return replace(super().infer(), code=Code(Module(), Call(self.function, (start,))))


class Passing(Parameter):
    """Factors with which the input passes by the states; they start as 1."""

    def infer(self) -> Result:
        """[D]."""
        start = Call("torch.ones", self.shape)
        return replace(super().infer(), code=Code(Module(), Call(self.function, (start,))))


@layer(
    "MambaMixer",
    family="block",
    aliases=("mamba", "selective state space", "s6", "ssm", "状态空间模型"),
    title="Mamba mixer",
    stem="mixer",
)
class MambaMixer(Composite):
    """A causal convolution and a gated scan, as in Mamba: y = (scan(u) + D u) · SiLU(z) Wₒᵀ."""

    d_model: Size | None = option(None, WIDTH, min=1)
    d_inner: Size | None = option(None, INNER, min=1)
    d_state: Size = option(16, STATE, min=1)
    d_conv: Size = option(4, KERNEL, min=1)
    dt_rank: Size | None = option(None, RANK, min=1)
    bias: bool = option(False, BIAS)
    conv_bias: bool = option(True, "Add learned offsets to the convolution.")

    def body(self, net: Net, x: Value) -> Value:
        """[B, T, d_model] to the same shape."""
        width = net.size("d_model", x, -1, "[B, T, {}]")
        self.ranked(x.tensor, (3,), SEQUENCES)
        inner = net.usual("d_inner", 2 * width)
        h = net.use("in_proj", Linear(out_features=2 * inner, bias=self.bias), x)
        h, gate = net.parts(Split(chunks=2, dim=-1), h, ("mixed", "gate"))
        act = SiLU()
        (h,) = net.outputs("act", act, ("u",), self._convolved(net, h, inner))
        h = self._scanned(net, h, width, inner)
        h = net.call(Multiply(), h, net.use("act", act, gate))
        return net.use("out_proj", Linear(out_features=width, bias=self.bias), h)

    def _convolved(self, net: Net, x: Value, inner: Size) -> Value:
        """Each channel with the positions before it; the padding behind it is cut off again."""
        filters = Conv1d(
            out_channels=inner,
            kernel_size=self.d_conv,
            padding=self.d_conv - 1,
            groups=inner,
            bias=self.conv_bias,
        )
        h = net.use("conv1d", filters, net.call(Transpose(dim0=1, dim1=2), x))
        if value(self.d_conv) != 1:
            h = net.call(Slice(dim=-1, stop=1 - self.d_conv), h)
        return net.call(Transpose(dim0=1, dim1=2), h)

    def _scanned(self, net: Net, x: Value, width: Size, inner: Size) -> Value:
        """The scan, whose steps, inputs and outputs depend on x; x itself passes by."""
        state = self.d_state
        rank = net.usual("dt_rank", ceil_div(width, RANK_DIVISOR))
        chosen = net.use("x_proj", Linear(out_features=rank + 2 * state, bias=False), x)
        cut = Split(sizes=(rank, state, state), dim=-1)
        dt, b, c = net.parts(cut, chosen, ("dt", "b", "c"))
        dt = net.use("dt_proj", Linear(out_features=inner), dt)
        (delta,) = net.outputs("softplus", Softplus(), ("delta",), dt)
        a_log = net.use("A_log", Decays(shape=(inner, state)))
        a = net.call(Neg(), net.call(Exp(), a_log), called="a")
        y = net.call(SelectiveScan(), x, delta, a, b, c, called="y")
        return net.call(Add(), y, net.call(Multiply(), x, net.use("D", Passing(shape=(inner,)))))

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The size of the state of a channel."""
        return f"state {self.d_state}"


@layer(
    "MambaBlock",
    family="block",
    aliases=("mamba", "mamba-130m", "state space layer", "状态空间模型", "曼巴块"),
    title="Mamba block",
    stem="layer",
)
class MambaBlock(Composite):
    """A Mamba mixer behind an RMS norm, added to its input: y = x + M(norm(x))."""

    d_model: Size | None = option(None, WIDTH, min=1)
    d_inner: Size | None = option(None, INNER, min=1)
    d_state: Size = option(16, STATE, min=1)
    d_conv: Size = option(4, KERNEL, min=1)
    dt_rank: Size | None = option(None, RANK, min=1)
    eps: float = option(1e-5, "Added to the mean square, so that nothing is divided by 0.")
    bias: bool = option(False, BIAS)
    conv_bias: bool = option(True, "Add learned offsets to the convolution.")

    def body(self, net: Net, x: Value) -> Value:
        """[B, T, d_model] to the same shape."""
        width = net.size("d_model", x, -1, "[B, T, {}]")
        self.ranked(x.tensor, (3,), SEQUENCES)
        mixer = MambaMixer(
            d_inner=net.usual("d_inner", 2 * width),
            d_state=self.d_state,
            d_conv=self.d_conv,
            dt_rank=net.usual("dt_rank", ceil_div(width, RANK_DIVISOR)),
            bias=self.bias,
            conv_bias=self.conv_bias,
        )
        h = net.use("norm", RMSNorm(eps=self.eps), x)
        return net.call(Add(), x, net.use("mixer", mixer, h))

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The size of the state of a channel."""
        return f"state {self.d_state}"
