"""Many copies of a layer: one after another, or side by side as experts. Their number is free.

However many copies there are, at most two are examined: what copy 2 is, copies 3, 4, … are too.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, ClassVar, cast

from designer.core import size as sizes
from designer.core.code import (
    Attribute,
    Call,
    Code,
    Conditional,
    Copies,
    Infix,
    Item,
    Loop,
    Method,
    Module,
    Ref,
    Support,
)
from designer.core.layer import Layer, LayerError, Port, Result, applied, note, overheard
from designer.core.message import message
from designer.core.param import Param, Span, marked
from designer.core.size import Size, Verdict, compare
from designer.core.tensor import ANYTHING, Tensor

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from designer.core.finding import Finding
    from designer.core.graph import NodeId
    from designer.core.layer import Inputs
    from designer.core.message import Message
    from designer.core.option import Option

INTEGERS = ("int64", "int32", "int16", "int8", "uint8")


@dataclass(frozen=True, eq=False)
class Repeat(Layer):
    """`count` copies of a layer, each of which takes what the one before it gives.

    Outputs feed the inputs of the same name; where no name is the same, the first output feeds the
    first input. Other inputs go to every copy, other outputs come from the last. The first copy
    may differ in its sizes, the others are alike. With `shared` all are one module.
    """

    inner: Layer
    count: Size
    shared: bool = False

    kind: ClassVar[str] = "Repeat"
    title: ClassVar[str] = "Repeat"
    family: ClassVar[str] = "block"
    aliases: ClassVar[tuple[str, ...]] = ()
    stem: ClassVar[str] = "blocks"
    declared: ClassVar[tuple[Option, ...]] = ()

    def inputs(self) -> tuple[Port, ...]:
        """Those of the layer."""
        return self.inner.inputs()

    def outputs(self) -> tuple[Port, ...]:
        """Those of the layer."""
        return self.inner.outputs()

    def batch_axis(self) -> int | None:
        """That of the layer."""
        return self.inner.batch_axis()

    def hint_behind(self, before: Layer) -> Message | None:
        """That of the layer."""
        return self.inner.hint_behind(before)

    def caption(self, result: Result, inputs: Inputs) -> str:
        """What one copy does, and how many there are."""
        return f"{self.inner.caption(result, inputs)} ×{self.count}".lstrip()

    def infer(self, *several: Tensor, **inputs: Tensor) -> Result:
        """The copies one after another. Raises LayerError where one cannot feed the next."""
        variadic = {port.name: several for port in self.inputs() if port.variadic}
        return self._repeated({**inputs, **variadic})

    def _repeated(self, inputs: Inputs) -> Result:
        number = sizes.value(self.count)
        if number is not None and number < 1:
            template = "{inner} ×{count}: at least one copy is needed."
            raise self.refuse(template, inner=self.inner.kind, count=self.count)
        carried = self._carried(inputs)
        first, heard = overheard(lambda: applied(self.inner, inputs))
        fed = self._fed(first, inputs, carried)
        alone = number == 1 or fed == dict(inputs)
        second, more = (first, ()) if alone else overheard(lambda: self._second(fed, carried))
        for remark in dict.fromkeys((*heard, *more)):
            note(remark)
        if second is not first:
            self._check_alike(first, second)
        return Result(
            second.outputs,
            self._marked(first) if self.shared else tuple(self._params(first, second)),
            first.flops + (self.count - 1) * second.flops,
            write=lambda: self._code(first, second, carried),
            work=lambda: first.elementwise + (self.count - 1) * second.elementwise,
        )

    def _carried(self, inputs: Inputs) -> tuple[tuple[str, str], ...]:
        """The input ports that something is at and that an output feeds, with that output."""
        into = [port for port in self.inputs() if port.name in inputs and not port.variadic]
        out = [port.name for port in self.outputs()]
        pairs = tuple((port.name, port.name) for port in into if port.name in out)
        if not pairs and (not into or not out or into[0] != self.inputs()[0]):
            template = "{inner} has no input that its output could feed."
            raise self.refuse(template, inner=self.inner.kind)
        return pairs or ((into[0].name, out[0]),)

    def _fed(
        self, result: Result, inputs: Inputs, carried: Iterable[tuple[str, str]]
    ) -> dict[str, Tensor | tuple[Tensor, ...]]:
        """The inputs of the copy after one with this result."""
        out = [port.name for port in self.outputs()]
        given = dict(zip(out, result.outputs, strict=True))
        return {**inputs, **{port: given[output] for port, output in carried}}

    def _second(self, fed: Inputs, carried: tuple[tuple[str, str], ...]) -> Result:
        """The result of copy 2 where it gets something else than copy 1; all after it are alike."""
        try:
            second = applied(self.inner, fed)
        except LayerError as error:
            values = {"inner": self.inner.kind, "said": error.remark.message}
            text = message("Copy 2 of {inner}: {said}", **values)
            raise LayerError(text, port=carried[0][0]) from error
        if sizes.value(self.count) != 2:
            self._check_fixed(second, fed, carried)
        return second

    def _check_fixed(
        self, second: Result, inputs: Inputs, carried: tuple[tuple[str, str], ...]
    ) -> None:
        """Refuse a copy that gives something else than it takes."""
        gives = self._fed(second, inputs, carried)
        for port, _ in carried:
            takes, given = inputs[port], gives[port]
            assert isinstance(takes, Tensor)
            assert isinstance(given, Tensor)
            if not _fits(takes, given):
                raise self.refuse(
                    "{inner} takes {expected} and gives {got}: it cannot feed itself.",
                    inner=self.inner.kind,
                    port=port,
                    expected=takes,
                    got=given,
                )

    # Parameters

    def _params(self, first: Result, second: Result) -> Iterator[Param]:
        """Those of all copies: of copy 1 apart where it has others."""
        one, other = self._marked(first), self._marked(second)
        if one == other:
            yield from (param.copied(Span(0, self.count)) for param in one)
        else:
            yield from (param.under("0") for param in one)
            yield from (param.copied(Span(1, self.count - 1)) for param in other)

    def _marked(self, result: Result) -> tuple[Param, ...]:
        return marked(self.inner.kind, result.params)

    def _check_alike(self, first: Result, second: Result) -> None:
        """Refuse copies that no loop can go through, and one module for two that differ."""
        if self.shared and first.params != second.params:
            one, other = _difference(first.params, second.params)
            template = "One {inner} serves all copies: copy 1 needs {expected}, copy 2 {got}."
            raise self.refuse(template, inner=self.inner.kind, expected=one, got=other)
        one_code, other_code = first.written, second.written
        assert one_code is not None
        assert other_code is not None
        pair = (one_code, other_code) if self.shared else (one_code.use, other_code.use)
        if not alike(*pair) or (one_code.make is None) != (other_code.make is None):
            template = "Copy 2 of {inner} works in another way than copy 1: {got}, not {expected}."
            shapes = {"expected": first.outputs[0], "got": second.outputs[0]}
            raise self.refuse(template, inner=self.inner.kind, **shapes)

    # Code

    def _code(self, first: Result, second: Result, carried: tuple[tuple[str, str], ...]) -> Code:
        """A loop over a list of modules, or over one module that serves all copies."""
        one, other = first.written, second.written
        assert one is not None
        assert other is not None
        same = alike(one.make, other.make)
        if other.make is None or self.shared or (same and not second.params):
            return Code(
                Loop(other.use, carried, other.returns, self.count), other.make, other.returns
            )
        make = Copies(other.make, self.count)
        if one.make is not None and not same:
            make = Copies(other.make, self.count - 1, one.make)
        nested = isinstance(other.make, Copies)
        loop = Loop(other.use, carried, other.returns, nested=nested)
        return Code(loop, make, other.returns)


def _fits(takes: Tensor, gives: Tensor) -> bool:
    """Whether a tensor may be what another is, as far as both are known."""
    if takes.dtype != gives.dtype:
        return False
    if takes.rank is None or gives.rank is None:
        return True
    pairs = zip(takes.shape, gives.shape, strict=False)
    different = any(compare(a, b) is Verdict.DIFFERENT for a, b in pairs)
    return takes.rank == gives.rank and not different


def _difference(one: tuple[Param, ...], other: tuple[Param, ...]) -> tuple[str, str]:
    """The first parameters that differ, in words."""
    for a, b in zip(one, other, strict=False):
        if a != b:
            return f"{a.name} {Tensor(a.shape)}", f"{b.name} {Tensor(b.shape)}"
    return f"{len(one)} tensors", f"{len(other)}"


def alike(a: object, b: object) -> bool:
    """Whether two pieces of `designer.core.code` are written alike, classes by their bodies."""
    if a is b or type(a) is not type(b):
        return a is b
    if hasattr(a, "findings") and hasattr(b, "findings"):
        return alike(_written(a.findings), _written(b.findings))
    if isinstance(a, tuple | list) and isinstance(b, tuple | list):
        return len(a) == len(b) and all(map(alike, a, b))
    if type(a) in PIECES:
        return all(alike(getattr(a, f.name), getattr(b, f.name)) for f in fields(cast("Any", a)))
    return a == b


def _written(findings: Mapping[NodeId, Finding]) -> tuple[Code | None, ...]:
    """How each layer of a class is written."""
    return tuple(found.result.written if found.result else None for found in findings.values())


PIECES = frozenset((Attribute, Call, Code, Conditional, Copies, Infix, Item, Loop, Method))
"""What is compared by its parts: they may hold classes."""


@dataclass(frozen=True, eq=False)
class Bank(Layer):
    """`count` copies of a layer side by side, of which each token goes to some: experts.

    Every token has `k` chosen copies, and gives the sum of what they make of it, each times its
    weight. The layer sees the tokens in rows: [rows, width].
    """

    inner: Layer
    count: Size

    kind: ClassVar[str] = "Bank"
    title: ClassVar[str] = "Bank of experts"
    family: ClassVar[str] = "block"
    aliases: ClassVar[tuple[str, ...]] = ()
    stem: ClassVar[str] = "experts"
    declared: ClassVar[tuple[Option, ...]] = ()
    ports: ClassVar[tuple[Port, ...]] = (Port("x"), Port("weights"), Port("chosen"))

    def infer(self, x: Tensor, weights: Tensor, chosen: Tensor) -> Result:
        """`x` [..., width], `weights` and `chosen` [..., k] to [..., width of the copies' output].

        Raises LayerError where they do not go together, and for a layer that mixes rows.
        """
        port = self._port()
        self._check_choice(x, weights, chosen)
        k, rows = chosen.axis(-1), self.rows(x, chosen)
        one = applied(self.inner, {port: rows})
        self._check_rows(one, rows.axis(0))
        if weights.dtype != one.outputs[0].dtype and weights != ANYTHING:
            template = "{layer} expects weights of {expected}, got {got}."
            pair = {"expected": one.outputs[0].dtype, "got": weights.dtype}
            raise self.refuse(template, port="weights", **pair)
        span = Span(0, self.count, k)
        return Result(
            (x.with_last(one.outputs[0].axis(-1)).with_dtype(one.outputs[0].dtype),),
            tuple(param.copied(span) for param in marked(self.inner.kind, one.params)),
            one.flops,
            write=lambda: self._code(one),
            work=lambda: one.elementwise + 2 * k * x.count,
        )

    def caption(self, result: Result, inputs: Inputs) -> str:
        """How many copies a token goes to, of how many, and what one copy does."""
        chosen = inputs["chosen"]
        assert isinstance(chosen, Tensor)
        k = chosen.axis(-1) if chosen.shape else sizes.UNKNOWN
        return f"{k} of {self.count} {self.inner.caption(result, inputs)}".rstrip()

    def rows(self, x: Tensor, chosen: Tensor) -> Tensor:
        """What the copies take together: a row for each token and copy that it goes to."""
        count = sizes.UNKNOWN if x.partial else sizes.product(x.shape[:-1]) * chosen.axis(-1)
        return Tensor((count, x.axis(-1)), x.dtype)

    def _port(self) -> str:
        """The one input port that a copy has."""
        ports = self.inner.inputs()
        if not ports or ports[0].variadic or any(not port.optional for port in ports[1:]):
            template = "{inner} needs exactly one input to be in a bank."
            raise self.refuse(template, inner=self.inner.kind)
        return ports[0].name

    def _check_choice(self, x: Tensor, weights: Tensor, chosen: Tensor) -> None:
        if chosen.dtype not in INTEGERS and chosen != ANYTHING:
            template = "{layer} expects whole numbers for chosen, got {got}."
            raise self.refuse(template, port="chosen", got=chosen.dtype)
        if not _same_shape(weights, chosen):
            template = "{layer} expects weights {expected} like chosen, got {got}."
            raise self.refuse(template, port="weights", expected=chosen, got=weights)
        if x.rank == 0 or chosen.rank == 0 or not _same_shape(x.lead(1), chosen.lead(1)):
            template = "{layer} expects one choice for each token of {expected}, got {got}."
            raise self.refuse(template, port="chosen", expected=x, got=chosen)
        k, count = sizes.value(chosen.axis(-1)), sizes.value(self.count)
        if k is not None and count is not None and k > count:
            template = "{layer} has {expected} copies, fewer than the {got} that are chosen."
            raise self.refuse(template, port="chosen", expected=self.count, got=chosen.axis(-1))

    def _check_rows(self, one: Result, rows: Size) -> None:
        """Refuse a layer that has no module of its own, or does not keep the rows apart."""
        out = one.outputs[0]
        if one.write is None and not _is_module(one.code):
            template = "{inner} has no module of its own, as each copy of a bank needs it."
            raise self.refuse(template, inner=self.inner.kind)
        kept = out.rank == 2 and compare(out.axis(0), rows) is not Verdict.DIFFERENT
        if len(one.outputs) != 1 or not (kept or out.partial):
            template = "{inner} gives {got}: each row of a bank must give one row."
            raise self.refuse(template, inner=self.inner.kind, got=out)

    def _code(self, one: Result) -> Code:
        code = one.written
        assert code is not None
        assert code.make is not None
        ports = (Ref("x"), Ref("weights"), Ref("chosen"))
        return Code(Call(ROUTED, (Module(), *ports)), Copies(code.make, self.count))


def _same_shape(a: Tensor, b: Tensor) -> bool:
    """Whether two tensors may have one shape, as far as both are known."""
    return _fits(replace(a, dtype=b.dtype), b)


def _is_module(code: Code | None) -> bool:
    if code is None or code.make is None or not isinstance(code.use, Call):
        return False
    plain = isinstance(code.use.function, Module) and not code.use.kwargs
    return plain and len(code.use.args) == 1 and isinstance(code.use.args[0], Ref)


ROUTED = Support(
    "routed",
    '''
def routed(
    experts: nn.ModuleList, x: Tensor, weights: Tensor, chosen: Tensor
) -> Tensor:
    """Send each token to its chosen experts; add what they give times their weights."""
    tokens = x.reshape(-1, x.shape[-1])
    weights = weights.reshape(-1, weights.shape[-1])
    chosen = chosen.reshape(-1, chosen.shape[-1])
    given, places = [], []
    for number, expert in enumerate(experts):
        token, slot = torch.where(chosen == number)
        given.append(expert(tokens[token]) * weights[token, slot, None])
        places.append(token)
    rows = torch.cat(given)
    total = rows.new_zeros(len(tokens), rows.shape[-1])
    total = total.index_add(0, torch.cat(places), rows)
    return total.view(*x.shape[:-1], rows.shape[-1])
''',
)
