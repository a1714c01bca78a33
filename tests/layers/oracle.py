"""PyTorch as the judge of a layer: what it accepts, its shapes, its state dict and its code."""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, TypeAlias

import torch
from torch import nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

import designer.layers  # noqa: F401  (fills the catalogue)
from designer.core import code, count, size
from designer.core.expression import NOTHING
from designer.core.layer import (
    CATALOGUE,
    Examined,
    Inputs,
    Layer,
    Result,
    examine,
    options_of,
)
from designer.core.option import OptionError
from designer.core.size import UNKNOWN, Size, substitute
from designer.core.tensor import ANYTHING, Tensor

Fed: TypeAlias = "Tensor | tuple[Tensor, ...] | None"
"""What arrives at one input port: nothing at an optional one, a tuple at a variadic one."""

Make: TypeAlias = Callable[[], Callable[..., Any]]
"""Makes the module or function of PyTorch that is the reference."""

REFUSALS = (
    RuntimeError,
    ValueError,
    TypeError,
    IndexError,
    AssertionError,
    NotImplementedError,
    ZeroDivisionError,
)
ROOTS: dict[str, Any] = {
    "nn": nn,
    "F": functional,
    "torch": torch,
    "self": SimpleNamespace(training=True),
}
SENTENCE = 80

# The tensors are small: several threads would only wait for each other.
torch.set_num_threads(1)


def t(*shape: Size, dtype: str = "float32") -> Tensor:
    """A tensor with this shape."""
    return Tensor(shape, dtype)


def made(kind: str, **options: Any) -> Layer:
    """A layer of the catalogue with these options, checked as a document's are.

    Raises OptionError for one that is out of its limits.
    """
    declared = {option.name: option for option in options_of(CATALOGUE[kind])}
    values = {name: declared[name].evaluate(raw, NOTHING) for name, raw in options.items()}
    return CATALOGUE[kind](**values)


def verdict(kind: str, options: Mapping[str, Any], inputs: Inputs) -> Examined | OptionError:
    """What the catalogue says of these options and inputs."""
    try:
        return examine(made(kind, **options), inputs)
    except OptionError as error:
        return error


def refusal(outcome: Examined | OptionError) -> str | None:
    """The sentence with which a layer refuses, if it does."""
    if isinstance(outcome, OptionError):
        return str(outcome.message)
    errors = [str(remark.message) for remark in outcome.remarks if remark.severity == "error"]
    return errors[0] if errors else None


def feed(kind: str, fed: Sequence[Fed]) -> Inputs:
    """The tensors of `fed` by input port, in the order of the ports."""
    ports = CATALOGUE[kind]().inputs()
    pairs = zip(ports, fed, strict=False)
    return {port.name: tensors for port, tensors in pairs if tensors is not None}


# PyTorch's side


def random(tensor: Tensor, high: int = 2, device: str = "cpu") -> torch.Tensor:
    """A random torch tensor with the shape and dtype of `tensor`; integers are below `high`."""
    dtype = getattr(torch, tensor.dtype)
    shape = [known(axis) for axis in tensor.shape]
    if dtype.is_floating_point or dtype.is_complex:
        return torch.randn(shape, dtype=dtype, device=device)
    return torch.randint(0, high, shape, device=device).to(dtype)


def known(axis: Size) -> int:
    """The value of a size that has one."""
    number = size.value(axis)
    assert number is not None, f"{axis} has no value"
    return number


def random_inputs(inputs: Inputs, high: int = 2, device: str = "cpu") -> dict[str, Any]:
    """Random torch tensors by port; a list of them at a variadic port."""
    torch.default_generator.manual_seed(1)
    return {
        port: [random(one, high, device) for one in tensors]
        if isinstance(tensors, tuple)
        else random(tensors, high, device)
        for port, tensors in inputs.items()
    }


def in_order(values: Mapping[str, Any]) -> list[Any]:
    """The values of all ports in order, those of variadic ports one by one."""
    spread = (value if isinstance(value, list) else [value] for value in values.values())
    return list(itertools.chain.from_iterable(spread))


def seeded(make: Callable[[], Any]) -> Any:
    """What `make` makes, with the same random numbers at each call.

    The generator is seeded itself: `torch.manual_seed` formats a stack for each other device.
    """
    torch.default_generator.manual_seed(0)
    return make()


def tensors_in(value: Any) -> list[torch.Tensor]:
    """All tensors in nested tuples and lists, in order."""
    if isinstance(value, torch.Tensor):
        return [value]
    parts = value if isinstance(value, (tuple, list)) else ()
    return [tensor for part in parts for tensor in tensors_in(part)]


def ask(make: Make, values: Mapping[str, Any]) -> tuple[Any, list[torch.Tensor]] | Exception:
    """The reference and its outputs for these inputs, or the exception with which it refuses."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            reference = seeded(make)
            outputs = seeded(lambda: reference(*in_order(values)))
        except REFUSALS as error:
            return error
    return reference, tensors_in(outputs)


class Interpreter:
    """Runs the Code of a layer with real tensors."""

    def __init__(self, source: code.Code, values: Mapping[str, Any]) -> None:
        self.source = source
        self.values = values
        self.module = None if source.make is None else seeded(lambda: self.run(source.make))

    def use(self) -> Any:
        """The value of the layer's call."""
        return seeded(lambda: self.run(self.source.use))

    def run(self, expression: Any) -> Any:
        """The value of an expression of `designer.core.code`, or of a literal."""
        rule = RULES.get(type(expression))
        if rule is not None:
            return rule(self, expression)
        if isinstance(expression, (tuple, list)):
            return type(expression)(self.each(expression))
        return literal(expression)

    def each(self, expressions: Iterable[Any]) -> list[Any]:
        """The values of several expressions; a variadic port gives several."""
        values: list[Any] = []
        for expression in expressions:
            value = self.run(expression)
            several = isinstance(expression, code.Ref) and isinstance(value, list)
            values.extend(value if several else [value])
        return values

    def keywords(self, pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
        """Keyword arguments."""
        return {name: self.run(value) for name, value in pairs}

    def ref(self, ref: code.Ref) -> Any:
        """The value at an input port."""
        return self.values[ref.port]

    def name(self, name: code.Name) -> Any:
        """The object of a dotted name."""
        return resolve(name.name)

    def held(self, _: code.Module) -> Any:
        """The module that the layer made."""
        assert self.module is not None, "the code uses a module that it does not make"
        return self.module

    def call(self, call: code.Call) -> Any:
        """A call of a function or module."""
        named = isinstance(call.function, str)
        function = resolve(call.function) if named else self.run(call.function)  # type: ignore[arg-type]
        return function(*self.each(call.args), **self.keywords(call.kwargs))

    def method(self, method: code.Method) -> Any:
        """A call of a method."""
        bound = getattr(self.run(method.target), method.name)
        return bound(*self.each(method.args), **self.keywords(method.kwargs))

    def attribute(self, attribute: code.Attribute) -> Any:
        """An attribute of a value."""
        return getattr(self.run(attribute.target), attribute.name)

    def item(self, item: code.Item) -> Any:
        """An item or slice of a value."""
        return self.run(item.target)[self.run(item.index)]

    def conditional(self, conditional: code.Conditional) -> Any:
        """One of two values."""
        chosen = conditional.then if self.run(conditional.test) else conditional.otherwise
        return self.run(chosen)

    def copies(self, copies: code.Copies) -> nn.ModuleList:
        """A list of modules."""
        first = [] if copies.first is None else [self.run(copies.first)]
        return nn.ModuleList([*first, *(self.run(copies.make) for _ in range(known(copies.count)))])

    def loop(self, loop: code.Loop) -> Any:
        """What the last of several uses gives; each takes what the one before it gave."""
        held, values, given = self.module, self.values, None
        turns: Any = held if loop.times is None else [held] * known(loop.times)
        for self.module in turns:
            given = self.run(loop.body)
            ports = named_outputs(loop.returns or loop.carried[0][1], given)
            self.values = {**self.values, **{port: ports[out] for port, out in loop.carried}}
        self.module, self.values = held, values
        return given

    def support(self, support: code.Support) -> Any:
        """A function that stands in the exported code."""
        namespace = {"math": math, "torch": torch, "nn": nn, "Tensor": torch.Tensor}
        exec(support.source, namespace)
        return namespace[support.name]

    def infix(self, infix: code.Infix) -> Any:
        """Operands joined by an operator."""
        operands = self.each(infix.operands)
        names = {f"v{index}": operand for index, operand in enumerate(operands)}
        return eval(f" {infix.operator} ".join(names), {}, names)


RULES: dict[type, Callable[[Interpreter, Any], Any]] = {
    code.Ref: Interpreter.ref,
    code.Module: Interpreter.held,
    code.Name: Interpreter.name,
    code.Call: Interpreter.call,
    code.Method: Interpreter.method,
    code.Attribute: Interpreter.attribute,
    code.Item: Interpreter.item,
    code.Infix: Interpreter.infix,
    code.Support: Interpreter.support,
    code.Copies: Interpreter.copies,
    code.Loop: Interpreter.loop,
    code.Conditional: Interpreter.conditional,
}


def resolve(name: str) -> Any:
    """The object that a dotted name stands for in exported code."""
    root, *rest = name.split(".")
    value = ROOTS[root]
    for attribute in rest:
        value = getattr(value, attribute)
    return value


def literal(value: Any) -> Any:
    """A literal as Python has it; a symbolic size by its value."""
    if isinstance(value, slice):
        return slice(literal(value.start), literal(value.stop), literal(value.step))
    return known(value) if isinstance(value, size.Symbolic) else value


# The comparison


def check(
    kind: str,
    options: Mapping[str, Any],
    *fed: Fed,
    reference: Make | None = None,
    inferred: tuple[str, ...] = (),
    free: Iterable[int] = (),
    high: int = 2,
    flops: bool = True,
    weaker: bool = True,
) -> Result | None:
    """Hold a layer against PyTorch on one case; the Result, or None where both refuse.

    `fed` are the inputs in the order of the ports. The reference is `nn.<kind>(**options)` unless
    one is given. `inferred` names options that the inputs determine: the case is looked at again
    without them. `free` are axes of the first input that may be free dimensions, all at once.
    `high` bounds random integers. `flops=False` where the reference does not run on meta tensors.
    `weaker=False` where the case is about sizes that a free dimension is taken not to have.

    Compared are: acceptance; names, order, shapes, dtypes and roles of the state dict; shapes and
    dtypes of the outputs; the values that the layer's code computes; floating-point operations;
    and that what is said of weaker inputs (free, unknown, missing axes) is true of these.
    """
    inputs = feed(kind, fed)
    make = reference or reference_module(kind, options)
    case = f"{kind}({', '.join(f'{k}={v!r}' for k, v in options.items())}) on {shown(inputs)}"
    answer = ask(make, random_inputs(inputs, high))
    outcome = verdict(kind, options, inputs)
    if isinstance(answer, Exception):
        refused(outcome, answer, case)
        return None
    result = accepted(outcome, case)
    compare(made(kind, **options), result, inputs, answer, case=case, high=high)
    if flops:
        assert result.flops == counted_flops(make, inputs), f"{case}: operations"
    variables_agree(made_of_variables(kind, options), inputs, result, case)
    layer = made(kind, **{name: options[name] for name in options if name not in inferred})
    assert same_result(layer, inputs, result), f"{case}: without {inferred}"
    if weaker:
        weaker_agree(layer, inputs, result, case)
    if free:
        free_agree(layer, inputs, result, free, case)
    return result


def refused(outcome: Examined | OptionError, answer: Exception, case: str) -> None:
    """The layer refuses as PyTorch does, in a short sentence that neither scolds nor pleads."""
    sentence = refusal(outcome)
    assert sentence is not None, f"{case}: accepted, but PyTorch says {answer}"
    assert len(sentence) <= SENTENCE, f"{case}: {sentence}"
    assert sentence.endswith("."), f"{case}: {sentence}"
    assert not {"invalid", "please"} & set(sentence.lower().split()), f"{case}: {sentence}"


def accepted(outcome: Examined | OptionError, case: str) -> Result:
    """The result of a layer that accepts what PyTorch accepts."""
    sentence = refusal(outcome)
    assert sentence is None, f"{case}: {sentence} But PyTorch accepts it."
    assert isinstance(outcome, Examined)
    assert outcome.result is not None
    return outcome.result


def reference_module(kind: str, options: Mapping[str, Any]) -> Make:
    """Makes PyTorch's module of this kind with those of the options that it knows."""
    left_out = CATALOGUE[kind].not_torch
    kept = {name: value for name, value in options.items() if name not in left_out}
    return lambda: getattr(nn, kind)(**kept)


def shown(inputs: Inputs) -> str:
    """The inputs of a case, as a failure names them."""
    return ", ".join(
        " ".join(f"{one}:{one.dtype}" for one in (fed if isinstance(fed, tuple) else (fed,)))
        for fed in inputs.values()
    )


def compare(
    layer: Layer,
    result: Result,
    inputs: Inputs,
    answer: tuple[Any, list[torch.Tensor]],
    *,
    case: str,
    high: int,
) -> None:
    """The state dict, outputs and code of an accepted case are the reference's."""
    reference, expected = answer
    assert result.written is not None, f"{case}: no code"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ran = Interpreter(result.written, random_inputs(inputs, high))
        value = ran.use()
    same_state(result, reference, ran.module, case)
    explained(result, parameters_of(ran.module), case)
    values_agree(tensors_in(value), expected, case)
    ports = named_outputs(result.written.returns or layer.outputs()[0].name, value)
    names = [port.name for port in layer.outputs()]
    assert list(ports) == names, f"{case}: outputs {list(ports)}, declared {names}"
    assert len(result.outputs) == len(names), f"{case}: {len(result.outputs)} outputs"
    for tensor, real in zip(result.outputs, ports.values(), strict=True):
        shape = [known(axis) for axis in tensor.shape]
        assert not tensor.partial, f"{case}: {tensor}, PyTorch gives {list(real.shape)}"
        assert shape == list(real.shape), f"{case}: {shape}, PyTorch gives {list(real.shape)}"
        assert getattr(torch, tensor.dtype) == real.dtype, f"{case}: {tensor.dtype}"


def named_outputs(returns: code.Returns, value: Any) -> dict[str, torch.Tensor]:
    """The values of the output ports, as `returns` names them."""
    if isinstance(returns, str):
        return {} if returns == "_" else {returns: value}
    if returns is None:
        return {}
    assert len(returns) == len(value), f"{len(value)} values for {returns}"
    parts = (named_outputs(name, part) for name, part in zip(returns, value, strict=True))
    return {name: tensor for part in parts for name, tensor in part.items()}


def values_agree(got: list[torch.Tensor], expected: list[torch.Tensor], case: str) -> None:
    """The code computes what the reference computes."""
    assert len(got) == len(expected), f"{case}: {len(got)} values, not {len(expected)}"
    for mine, theirs in zip(got, expected, strict=True):
        torch.testing.assert_close(
            mine, theirs, equal_nan=True, msg=lambda text: f"{case}: values differ. {text}"
        )


def same_state(result: Result, reference: Any, module: Any, case: str) -> None:
    """Params are the state dict of the reference, and of the module that the code makes."""
    expected = state_of(reference)
    assert [
        (param.name, tuple(known(axis) for axis in param.shape), param.dtype, param.part)
        for param in result.params
    ] == expected, f"{case}: state dict {expected}"
    assert state_of(module) == expected, f"{case}: the code makes {state_of(module)}"


def state_of(module: Any) -> list[tuple[str, tuple[int, ...], str, str]]:
    """Name, shape, dtype and part of all that a state dict holds, in its order."""
    if not isinstance(module, nn.Module):
        return []
    learned = {name for name, _ in module.named_parameters()}
    return [
        (
            name,
            tuple(tensor.shape),
            str(tensor.dtype).removeprefix("torch."),
            part_of(name, learned),
        )
        for name, tensor in module.state_dict().items()
    ]


def part_of(name: str, learned: set[str]) -> str:
    """Weight, bias or buffer, by the name as PyTorch gives it."""
    if name not in learned:
        return "buffer"
    last = name.rpartition(".")[2]
    return "bias" if last.startswith("bias") or last.endswith("_bias") else "weight"


def parameters_of(module: Any) -> int:
    """How many numbers PyTorch's module learns."""
    return sum(p.numel() for p in module.parameters()) if isinstance(module, nn.Module) else 0


def explained(result: Result, parameters: int, case: str) -> None:
    """What «How this is counted» shows comes to the count, and its lines have one structure."""
    explanation = count.explain(result.params)
    figures = explanation.figures().replace(",", "").replace("×", "*") or "0"
    assert eval(figures) == parameters, f"{case}: {explanation.figures()}, not {parameters:,}"
    assert explanation.result() == f"{parameters:,}", f"{case}: {explanation.result()}"
    assert explanation.total == parameters == result.tally.parameters, case
    names, numbers = explanation.names(), explanation.figures()
    assert structure(names) == structure(numbers), f"{case}: {names}, but {numbers}"


def structure(formula: str) -> list[int]:
    """How many factors each term of a sum has."""
    return [len(term.split(" × ")) for term in formula.split(" + ")]


def counted_flops(make: Make, inputs: Inputs) -> int:
    """Floating-point operations as PyTorch counts them, on the meta device."""
    with torch.device("meta"), warnings.catch_warnings(), FlopCounterMode(display=False) as counter:
        warnings.simplefilter("ignore")
        make()(*in_order(random_inputs(inputs, device="meta")))
    return int(counter.get_total_flops())


# Weaker inputs


def same_result(layer: Layer, inputs: Inputs, result: Result) -> bool:
    """Whether a layer gives the same outputs and parameters for these inputs."""
    other = examine(layer, inputs).result
    return other is not None and (other.outputs, other.params) == (result.outputs, result.params)


def weaker_agree(layer: Layer, inputs: Inputs, result: Result, case: str) -> None:
    """What a layer says of inputs of which less is known is true of these inputs."""
    for weaker, values in weakened(inputs):
        examined = examine(layer, weaker)
        if values and refusal(examined):
            continue  # two sizes that must agree, one of them free
        seen = f"{case}, seen as {shown(weaker)}"
        true_of(accepted(examined, seen), result, values, seen)


def free_agree(
    layer: Layer, inputs: Inputs, result: Result, free: Iterable[int], case: str
) -> None:
    """With these axes of the first input free, the layer gives `result` at their values."""
    port, first = next(iter(inputs.items()))
    assert isinstance(first, Tensor), f"{case}: the first input is variadic"
    axes = [index % len(first.shape) for index in free]
    shape = tuple(size.free(f"N{i}") if i in axes else a for i, a in enumerate(first.shape))
    symbolic = {**inputs, port: replace(first, shape=shape)}
    weak = accepted(examine(layer, symbolic), f"{case}, seen as {shown(symbolic)}")
    values = {f"N{i}": a for i, a in enumerate(first.shape)}
    assert [
        tuple(substitute(axis, values) for axis in tensor.shape) for tensor in weak.outputs
    ] == [tensor.shape for tensor in result.outputs], f"{case}, seen as {shown(symbolic)}"
    assert substitute(weak.flops, values) == result.flops, f"{case}: operations"


def made_of_variables(kind: str, options: Mapping[str, Any]) -> Layer:
    """The layer with a variable in place of each number among its sizes."""
    declared = {option.name: option for option in options_of(CATALOGUE[kind])}
    sized = {name for name, option in declared.items() if option.kind == "size"}
    values = {
        name: as_variable(value, name) if name in sized else value
        for name, value in options.items()
    }
    return CATALOGUE[kind](**values)


def as_variable(value: Any, name: str) -> Any:
    """A variable with the value of a number; the same for each number of a tuple."""
    if isinstance(value, tuple):
        return tuple(as_variable(part, f"{name}{index}") for index, part in enumerate(value))
    return size.variable(name, value) if isinstance(value, int) else value


def variables_agree(layer: Layer, inputs: Inputs, result: Result, case: str) -> None:
    """With variables for numbers, a layer gives the same at their values."""
    case = f"{case}, with variables"
    same = accepted(examine(layer, inputs), case)
    shapes = [[known(axis) for axis in tensor.shape] for tensor in same.outputs]
    assert shapes == [list(tensor.shape) for tensor in result.outputs], case
    assert same.tally == result.tally, case
    assert size.value(same.flops) == result.flops, case


def weakened(inputs: Inputs) -> Iterator[tuple[Inputs, Mapping[str, Size]]]:
    """The inputs with one axis free or unknown, with leading axes missing, and with none known.

    With each come the values of the free axes.
    """
    for port, fed in inputs.items():
        several = fed if isinstance(fed, tuple) else (fed,)
        for place, tensor in enumerate(several):
            for less, values in weaker_tensors(tensor):
                changed = (*several[:place], less, *several[place + 1 :])
                yield {**inputs, port: changed if isinstance(fed, tuple) else less}, values
    unknown = {
        port: tuple(ANYTHING for _ in fed) if isinstance(fed, tuple) else ANYTHING
        for port, fed in inputs.items()
    }
    yield unknown, {}


def weaker_tensors(tensor: Tensor) -> Iterator[tuple[Tensor, Mapping[str, Size]]]:
    """Tensors that may turn out to be `tensor`."""
    shape = tensor.shape
    for index, axis in enumerate(shape):
        before, after = shape[:index], shape[index + 1 :]
        yield replace(tensor, shape=(*before, size.free("N"), *after)), {"N": axis}
        yield replace(tensor, shape=(*before, UNKNOWN, *after)), {}
        yield replace(tensor, shape=shape[index + 1 :], partial=True), {}
    yield replace(tensor, partial=True), {}


def true_of(weak: Result, strong: Result, values: Mapping[str, Size], case: str) -> None:
    """Outputs and parameters of `weak`, as far as they are known, are those of `strong`."""
    assert len(weak.outputs) == len(strong.outputs), case
    for less, more in zip(weak.outputs, strong.outputs, strict=True):
        assert may_be(less, more, values), f"{case}: output {less}, in truth {more}"
    names = [param.name for param in weak.params]
    assert names == [param.name for param in strong.params], f"{case}: parameters {names}"
    for little, much in zip(weak.params, strong.params, strict=True):
        assert may_be(Tensor(little.shape), Tensor(much.shape), values), f"{case}: {little.name}"


def may_be(less: Tensor, more: Tensor, values: Mapping[str, Size]) -> bool:
    """Whether `less`, of which less is known, may turn out to be `more`."""
    if len(less.shape) > len(more.shape) or (less.rank is not None and less.rank != more.rank):
        return False
    tail = more.shape[len(more.shape) - len(less.shape) :]
    pairs = zip((substitute(axis, values) for axis in less.shape), tail, strict=True)
    return all(axis is UNKNOWN or axis == true for axis, true in pairs)
