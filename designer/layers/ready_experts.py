"""Experts of which each token goes to a few: the router, and the mixture with shared experts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from designer.core.code import Call, Code, Infix, Module, Ref, Support
from designer.core.composite import Composite, Net, Value
from designer.core.copies import Bank
from designer.core.layer import Layer, Port, Result, layer
from designer.core.option import option
from designer.core.param import buffer, weight
from designer.core.size import Size, Verdict, at_values, compare, value
from designer.layers.act import Sigmoid, Softmax
from designer.layers.arith import AddScalar, MultiplyScalar
from designer.layers.index import Gather
from designer.layers.linear import Linear
from designer.layers.merge import Add, Divide, Multiply
from designer.layers.order import Topk
from designer.layers.ready import GATES, GatedMLP
from designer.layers.reduce import Sum

if TYPE_CHECKING:
    from collections.abc import Mapping

    from designer.core.layer import Inputs
    from designer.core.option import Option
    from designer.core.tensor import Tensor

WIDTH = "Size of the last axis of the input; inferred when empty."
EXPERTS = "Number of experts."
CHOSEN = "Number of experts that each token goes to."
SCORING = "What makes scores of the router's outputs."
SCORINGS: Mapping[str, Layer] = {"softmax": Softmax(dim=-1), "sigmoid": Sigmoid()}
NORMALISED = "Divide the weights of the chosen experts by their sum."
SCALE = "Factor of the weights of the chosen experts; none when empty."
CORRECTED = "Add a buffer to the scores that are compared, as DeepSeek-V3 does to balance experts."
GROUPS = "Number of groups of experts."
KEPT_GROUPS = "Number of groups from which a token's experts come."
LEAST = 1e-20
"""Added to the sum of sigmoid scores, which may all be 0."""

INITIAL = 0.02
"""Standard deviation of a router's first weights."""

LIMITED = Support(
    "limited_to_groups",
    '''
def limited_to_groups(scores: Tensor, groups: int, kept: int) -> Tensor:
    """Scores of the groups whose two best add up to most; -inf for the others."""
    grouped = scores.unflatten(-1, (groups, -1))
    best = grouped.topk(2).values.sum(-1)
    lost = torch.ones_like(best, dtype=torch.bool)
    lost = lost.scatter(-1, best.topk(kept).indices, False)
    return grouped.masked_fill(lost[..., None], float("-inf")).flatten(-2)
''',
)


class Step(Layer):
    """A step of a router, which stands in no palette."""

    aliases: ClassVar[tuple[str, ...]] = ()
    declared: ClassVar[tuple[Option, ...]] = ()
    ports: ClassVar[tuple[Port, ...]] = (Port("x"),)


@dataclass(frozen=True, eq=False)
class Logits(Step):
    """A number for each expert: x Wᵀ, with a matrix that the router holds as its own."""

    num_experts: Size

    kind: ClassVar[str] = "Logits"
    title: ClassVar[str] = "Logits"
    family: ClassVar[str] = "linear"
    stem: ClassVar[str] = "logits"

    def infer(self, x: Tensor) -> Result:
        """[..., d_model] to [..., num_experts]."""
        width = x.axis(-1)
        random = Call("torch.randn", (self.num_experts, width))
        make = Call("nn.Parameter", (Infix("*", (INITIAL, random)),))
        return Result(
            (x.with_last(self.num_experts),),
            (weight("", out_features=self.num_experts, in_features=width),),
            flops=2 * x.count * self.num_experts,
            code=Code(Call("F.linear", (Ref("x"), Module())), make),
        )


@dataclass(frozen=True, eq=False)
class Corrected(Step):
    """Scores plus a number for each expert that is kept and not learned."""

    kind: ClassVar[str] = "Corrected"
    title: ClassVar[str] = "Corrected"
    family: ClassVar[str] = "merge"
    stem: ClassVar[str] = "corrected"

    def infer(self, x: Tensor) -> Result:
        """[..., num_experts] to the same shape."""
        experts = x.axis(-1)
        make = Call("nn.Buffer", (Call("torch.zeros", (experts,)),))
        use = Infix("+", (Ref("x"), Module()))
        return Result((x,), (buffer("", experts=experts),), code=Code(use, make))


@dataclass(frozen=True, eq=False)
class LimitedToGroups(Step):
    """Leaves the scores of the best groups of experts, and −∞ for those of the others."""

    n_group: Size
    topk_group: Size

    kind: ClassVar[str] = "LimitedToGroups"
    title: ClassVar[str] = "LimitedToGroups"
    family: ClassVar[str] = "act"
    stem: ClassVar[str] = "limited"

    def infer(self, x: Tensor) -> Result:
        """[..., num_experts] to the same shape."""
        return Result((x,), code=Code(Call(LIMITED, (Ref("x"), self.n_group, self.topk_group))))


@layer(
    "TopKRouter",
    family="block",
    aliases=("moe router", "expert gate", "gating", "top-k gate", "路由器", "专家路由", "门控"),
    title="Router of experts",
    stem="gate",
)
class TopKRouter(Composite):
    """Chooses k experts for each token and weighs them: w = top-k of softmax(x Wᵀ)."""

    d_model: Size | None = option(None, WIDTH, min=1)
    num_experts: Size = option(8, EXPERTS, min=1)
    top_k: Size = option(2, CHOSEN, min=1)
    scoring: str = option("softmax", SCORING, choices=tuple(SCORINGS))
    normalize: bool = option(True, NORMALISED)
    scale: float | None = option(None, SCALE)
    correction: bool = option(False, CORRECTED)
    n_group: Size = option(1, GROUPS, min=1)
    topk_group: Size = option(1, KEPT_GROUPS, min=1)

    def outputs(self) -> tuple[Port, ...]:
        """The weights of the chosen experts, and their numbers."""
        return (Port("weights"), Port("chosen"))

    def body(self, net: Net, x: Value) -> tuple[Value, Value]:
        """[..., d_model] to [..., top_k] twice."""
        net.size("d_model", x, -1, "[..., {}]")
        self._check_top_k()
        logits = net.use("weight", Logits(self.num_experts), x)
        scoring = str.__str__(self.scoring)
        scores = net.use(scoring, SCORINGS[scoring], logits)
        compared = self._compared(net, scores)
        best = Topk(k=self.top_k)
        weights, chosen = net.parts(best, compared, ("weights", "chosen"))
        if compared is not scores:
            weights = net.call(Gather(dim=-1), scores, chosen, called="weights")
        return self._weighted(net, weights), chosen

    def varied(self, formal: tuple[str, ...]) -> str:
        """The scores that it compares."""
        groups = "ByGroup" if value(self.n_group) != 1 else ""
        return f"{groups}With{str(self.scoring).capitalize()}"

    def _compared(self, net: Net, scores: Value) -> Value:
        """The scores by which experts are chosen."""
        if self.correction:
            scores = net.use("e_score_correction_bias", Corrected(), scores)
        if value(self.n_group) == 1:
            return scores
        self._check_groups()
        return net.call(LimitedToGroups(self.n_group, self.topk_group), scores)

    def _check_top_k(self) -> None:
        """Refuse to choose more experts than there are."""
        most, chosen = value(self.num_experts), value(self.top_k)
        if most is not None and chosen is not None and chosen > most:
            template = "{option} must be at most {limit}, got {got}."
            raise self.refuse(template, option="top_k", limit=most, got=chosen)

    def _check_groups(self) -> None:
        """Refuse groups that are not equal, or smaller than the two that are compared."""
        each = self.num_experts // self.n_group
        uneven = compare(each * self.n_group, self.num_experts) is Verdict.DIFFERENT
        if uneven or (at_values(each) == 1):
            template = "{layer} needs n_group to divide {expected} into groups of two or more."
            raise self.refuse(template, option="n_group", expected=self.num_experts)
        groups, kept = value(self.n_group), value(self.topk_group)
        if groups is not None and kept is not None and kept > groups:
            template = "{layer} keeps {got} groups of {expected}."
            raise self.refuse(template, option="topk_group", expected=groups, got=kept)

    def _weighted(self, net: Net, weights: Value) -> Value:
        if self.normalize:
            total = net.call(Sum(dim=-1, keepdim=True), weights)
            if self.scoring == "sigmoid":
                total = net.call(AddScalar(value=LEAST), total)
            weights = net.call(Divide(), weights, total, called="shares")
        if self.scale is not None:
            weights = net.call(MultiplyScalar(value=self.scale), weights, called="scaled")
        return weights

    def caption(self, result: Result, inputs: Inputs) -> str:
        """How many experts are chosen of how many."""
        return f"{self.top_k} of {self.num_experts}"


@layer(
    "MixtureOfExperts",
    family="block",
    aliases=("moe", "mixtral", "deepseek moe", "sparse mlp", "experts", "混合专家", "专家混合"),
    title="Mixture of experts",
    stem="moe",
)
class MixtureOfExperts(Composite):
    """Gated MLPs, some for each token, some for all: y = Σ wᵢ Eᵢ(x) + S(x)."""

    d_model: Size | None = option(None, WIDTH, min=1)
    num_experts: Size = option(8, EXPERTS, min=1)
    top_k: Size = option(2, CHOSEN, min=1)
    d_hidden: Size = option(1024, "Size between the layers of one expert.", min=1)
    d_shared: Size | None = option(
        None,
        "Size between the layers of the experts that every token goes to; empty for none.",
        min=0,
    )
    activation: str = option("silu", "Activation of the gates in experts.", choices=tuple(GATES))
    scoring: str = option("softmax", SCORING, choices=tuple(SCORINGS))
    normalize: bool = option(True, NORMALISED)
    scale: float | None = option(None, SCALE)
    correction: bool = option(False, CORRECTED)
    n_group: Size = option(1, GROUPS, min=1)
    topk_group: Size = option(1, KEPT_GROUPS, min=1)
    shared_gate: bool = option(False, "Weigh the shared experts by a learned gate, as Qwen does.")

    def body(self, net: Net, x: Value) -> Value:
        """[..., d_model] to the same shape."""
        net.size("d_model", x, -1, "[..., {}]")
        router = TopKRouter(
            num_experts=self.num_experts,
            top_k=self.top_k,
            scoring=self.scoring,
            normalize=self.normalize,
            scale=self.scale,
            correction=self.correction,
            n_group=self.n_group,
            topk_group=self.topk_group,
        )
        weights, chosen = net.outputs("gate", router, ("weights", "chosen"), x)
        bank = Bank(self._mlp(self.d_hidden), self.num_experts)
        y = net.use("experts", bank, x, weights, chosen)
        if self.d_shared is None or value(self.d_shared) == 0:
            return y
        return net.call(Add(), y, self._shared(net, x, self.d_shared))

    def _mlp(self, hidden: Size) -> GatedMLP:
        return GatedMLP(d_hidden=hidden, activation=self.activation)

    def _shared(self, net: Net, x: Value, hidden: Size) -> Value:
        """What every token gets."""
        if not self.shared_gate:
            return net.use("shared_experts", self._mlp(hidden), x)
        shared = net.use("shared_expert", self._mlp(hidden), x)
        gate = net.use("shared_expert_gate", Linear(out_features=1, bias=False), x)
        share = net.use("sigmoid", Sigmoid(), gate)
        return net.call(Multiply(), share, shared)

    def varied(self, formal: tuple[str, ...]) -> str:
        """Whether there are shared experts, and the scores by which others are chosen."""
        shared = "Shared" if self.d_shared is not None else ""
        return f"With{shared}{str(self.scoring).capitalize()}"

    def caption(self, result: Result, inputs: Inputs) -> str:
        """How many experts are chosen of how many."""
        return f"{self.top_k} of {self.num_experts}"
