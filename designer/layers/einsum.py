"""Products and sums over labelled axes, as Einstein's summation writes them."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from designer.core.code import Ref, call
from designer.core.layer import Layer, Result, layer
from designer.core.option import option
from designer.core.size import UNKNOWN, Size, product
from designer.core.tensor import ANYTHING, Tensor
from designer.core.work import MOVING
from designer.layers.axes import broadcast, joint_dtype
from designer.layers.rules import NUMBERS, check_dtype

if TYPE_CHECKING:
    from collections.abc import Sequence

    from designer.core.layer import Inputs

REST = "..."
Labels: TypeAlias = "tuple[str, ...]"
Named: TypeAlias = "dict[str, tuple[Size, ...]]"
"""Sizes by label: one each, several for `...`."""
_FORM = re.compile(r"[A-Za-z.,\s]*(->[A-Za-z.\s]*)?")


@dataclass(frozen=True, slots=True)
class Equation:
    """A parsed equation: the labels of each operand and of the output, `...` among them."""

    operands: tuple[Labels, ...]
    output: Labels


def parsed(text: str) -> Equation | None:
    """The equation that `text` writes; None where it writes none."""
    if not _FORM.fullmatch(text):
        return None
    left, arrow, right = text.replace(" ", "").partition("->")
    operands = [_labels(part) for part in left.split(",")]
    output = _labels(right) if arrow else _implied([part for part in operands if part is not None])
    known = [part for part in operands if part is not None]
    if len(known) < len(operands) or output is None:
        return None
    return Equation(tuple(known), output)


def _labels(text: str) -> Labels | None:
    """Single letters and at most one `...`."""
    labels = tuple(re.findall(r"\.\.\.|[A-Za-z]", text))
    whole = "".join(labels) == text and labels.count(REST) <= 1
    return labels if whole else None


def _implied(operands: Sequence[Labels]) -> Labels:
    """The output where none is written: labels that stand once, in alphabetical order."""
    counts = Counter(label for labels in operands for label in labels)
    once = sorted(label for label, count in counts.items() if count == 1 and label != REST)
    return (REST, *once) if counts[REST] else tuple(once)


@layer(
    "Einsum",
    family="merge",
    aliases=("einstein summation", "contraction", "tensor product", "爱因斯坦求和"),
)
class Einsum(Layer):
    """Multiply over labelled axes, and add up over those that the output does not name."""

    work = MOVING

    equation: str = option(
        "ij,jk->ik", "Labels of the axes of each input, and behind -> those of the output."
    )

    def infer(self, *xs: Tensor) -> Result:
        """[i, j] and [j, k] to [i, k] with ij,jk->ik."""
        equation = self._checked(len(xs))
        named = [self._named(labels, x) for labels, x in zip(equation.operands, xs, strict=False)]
        code = call("torch.einsum", str(self.equation), Ref("xs"))
        if any(sizes is None for sizes in named):
            return Result((ANYTHING,), code=code)
        known = [sizes for sizes in named if sizes is not None]
        sizes = self._together(known)
        shape = tuple(size for label in equation.output for size in sizes[label])
        flops = _operations(equation, [frozenset(part) for part in known], sizes)
        dtype = self._dtype(xs, multiplied=flops != 0)
        return Result((Tensor(shape, dtype),), flops=flops, code=code)

    def _checked(self, count: int) -> Equation:
        equation = parsed(str(self.equation))
        if equation is None:
            raise self.refuse(
                "{layer} cannot read the equation {got}.", option="equation", got=self.equation
            )
        if count and count != len(equation.operands):
            raise self.refuse(
                "{layer} names {expected} inputs, got {got}.",
                option="equation",
                port="xs",
                expected=len(equation.operands),
                got=count,
            )
        used = {label for labels in equation.operands for label in labels} | {REST}
        for label in equation.output:
            if label not in used or equation.output.count(label) > 1:
                raise self.refuse(
                    "{layer} cannot put {label} into the output: not in one input, or twice.",
                    option="equation",
                    label=label,
                )
        return equation

    def _named(self, labels: Labels, x: Tensor) -> Named | None:
        """The sizes by label; None where it is not known which axes those are."""
        single = len(labels) - (REST in labels)
        refusal = self.refuse(
            "{layer} names {expected} axes, got {x} with {got}.",
            option="equation",
            port="xs",
            expected=single,
            x=x,
            got=len(x.shape),
        )
        fits = len(x.shape) <= single if x.rank is None else x.rank == single
        if REST in labels:
            if x.rank is None:
                return None
            fits = x.rank >= single
        if not fits:
            raise refusal
        shape = x.shape if x.rank is not None else x.last(single)
        return self._by_label(labels, shape, x)

    def _by_label(self, labels: Labels, shape: tuple[Size, ...], x: Tensor) -> Named:
        left = iter(shape)
        found: Named = {}
        for label in labels:
            rest = len(shape) - len(labels) + 1 if label == REST else 1
            sizes = tuple(next(left) for _ in range(rest))
            if label in found:
                (first,) = found[label]
                refusal = self.refuse(
                    "{layer} has {label} twice in {x}: {expected} against {got}.",
                    port="xs",
                    label=label,
                    x=x,
                    expected=first,
                    got=sizes[0],
                )
                sizes = (self.same(first, sizes[0], refusal),)
            found[label] = sizes
        return found

    def _together(
        self, named: Sequence[dict[str, tuple[Size, ...]]]
    ) -> dict[str, tuple[Size, ...]]:
        """The sizes by label of all inputs; an axis of 1 takes the size of the others."""
        sizes: Named = {REST: ()}
        for one in named:
            for label, got in one.items():
                before = Tensor(sizes.get(label, ()))
                sizes[label] = broadcast(self, before, Tensor(got), "xs").shape
        return sizes

    def _dtype(self, xs: Sequence[Tensor], *, multiplied: bool) -> str:
        joint = xs[0] if xs else ANYTHING
        for x in xs[1:]:
            if multiplied and x.dtype != joint.dtype and not (x.partial or joint.partial):
                raise self.refuse(
                    "{layer} needs one dtype, got {a} and {b}.", port="xs", a=joint.dtype, b=x.dtype
                )
            joint = x.with_dtype(joint_dtype(joint, x))
        if multiplied:
            check_dtype(self, joint, NUMBERS, "xs")
        return joint.dtype

    def caption(self, result: Result, inputs: Inputs) -> str:
        """The equation."""
        return str(self.equation).replace("->", " → ").replace(",", ", ")


def _operations(equation: Equation, operands: Sequence[frozenset[str]], sizes: Named) -> Size:
    """Two for each multiply-add, where inputs are contracted one after the other."""
    total: Size = 0
    if not operands:
        return UNKNOWN
    joint = operands[0]
    for index, other in enumerate(operands[1:], start=1):
        needed = frozenset(equation.output).union(*operands[index + 1 :])
        shared = joint & other
        summed = shared - needed
        union = (joint & (needed | shared)) | (other & (needed | shared))
        if summed:
            total += 2 * product(size for label in union for size in sizes[label])
        joint = union - summed
    return total
