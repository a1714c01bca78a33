"""Custom layers for tests: declarations with modules that are what they say."""

from __future__ import annotations

from designer.core.custom import Custom, CustomInput, CustomOption, CustomOutput, CustomParam

GATED = Custom(
    "GatedScale",
    inputs=(CustomInput("x", ("...", "width")), CustomInput("gate", ("...", "width"), True)),
    options=(
        CustomOption("width"),
        CustomOption("groups", "integer", 2, "Groups of channels."),
        CustomOption("eps", "real", 1e-5),
        CustomOption("bias", "flag", True),
        CustomOption("mode", "choice", "mul", choices=("mul", "add")),
    ),
    outputs=(CustomOutput("out", ("...", "width")), CustomOutput("means", ("...", "groups"))),
    params=(
        CustomParam("weight", ("width",)),
        CustomParam("bias", ("width",), "bias", when="bias"),
        CustomParam("steps", (), "buffer", "int64"),
        CustomParam("mix.weight", ("groups", "width // groups")),
    ),
    flops="2*leading*width",
    source="""\
class Mix(nn.Module):
    def __init__(self, rows: int, columns: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(rows, columns))


class GatedScale(nn.Module):
    \"\"\"Scales channels, and averages groups of them.\"\"\"

    def __init__(self, width: int, groups: int, eps: float, bias: bool, mode: str) -> None:
        super().__init__()
        self.groups, self.eps, self.mode = groups, eps, mode
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width)) if bias else None
        self.register_buffer("steps", torch.tensor(0))
        self.mix = Mix(groups, width // groups)

    def forward(self, x: Tensor, gate: Tensor | None = None) -> tuple[Tensor, Tensor]:
        x = x * self.weight if self.mode == "mul" else x + self.weight
        if self.bias is not None:
            x = x + self.bias
        if gate is not None:
            x = x * F.sigmoid(gate)
        means = (x.unflatten(-1, (self.groups, -1)) * self.mix.weight).mean(-1) + self.eps
        return x, means
""",
    note="Scales channels, and averages groups of them.",
)

PAIRS = Custom(
    "PairsOfTokens",
    inputs=(CustomInput("tokens", ("B", "T"), dtype="int64"), CustomInput("x", ("B", "2*T", "d"))),
    options=(CustomOption("count", "size", 10), CustomOption("d")),
    outputs=(CustomOutput("out", ("B", "T", "2*d"), "float32"),),
    params=(CustomParam("table.weight", ("count", "d")),),
    source="""\
class PairsOfTokens(nn.Module):
    def __init__(self, count: int, d: int) -> None:
        super().__init__()
        self.table = nn.Embedding(count, d)

    def forward(self, tokens: Tensor, x: Tensor) -> Tensor:
        return torch.cat((self.table(tokens), x[:, ::2]), dim=-1)
""",
)
