"""Every kind of the catalogue keeps the promises that windows, files and exports rely on."""

from __future__ import annotations

import inspect
import keyword
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import designer.layers  # noqa: F401  (fills the catalogue)
from designer.core.layer import (
    CATALOGUE,
    FAMILIES,
    Inputs,
    Layer,
    defaults,
    examine,
    options_of,
)
from designer.core.size import UNKNOWN, free, variable
from designer.core.tensor import ANYTHING, DTYPE_BYTES, Tensor

if TYPE_CHECKING:
    from designer.core.option import Option

KINDS = list(CATALOGUE)
MODULES = [kind for kind in KINDS if hasattr(nn, kind)]
SCOPE = {"B": free("B")}
UNDRAWN = {
    *("inplace", "device", "dtype", "_weight", "_freeze", "min_value", "max_value"),
    *("size_average", "reduce", "distance_function", "options"),
} | {
    "_random_samples",
    "process_group",
    "custom_encoder",
    "custom_decoder",
    "mask_check",
    "encoder_layer",
    "decoder_layer",
    "norm",
}
"""Arguments of modules that change nothing in a drawing, or are old names of others."""

SIZES: list[Any] = [0, 1, 2, 3, 4, 8, free("B"), free("T", 2), variable("d", 8), UNKNOWN]


def added(kind: str, **options: Any) -> Layer:
    """A layer as a person adds it, with some options changed."""
    values = {**dict(defaults(CATALOGUE[kind])), **options}
    declared = options_of(CATALOGUE[kind])
    evaluated = {option.name: option.evaluate(values[option.name], SCOPE) for option in declared}
    return CATALOGUE[kind](**evaluated)


def anything(layer: Layer) -> Inputs:
    """Inputs of which nothing is known at all ports that need one."""
    needed = (port for port in layer.inputs() if not port.optional)
    return {port.name: (ANYTHING, ANYTHING) if port.variadic else ANYTHING for port in needed}


@pytest.mark.parametrize("kind", KINDS)
def test_is_presented(kind: str) -> None:
    layer = CATALOGUE[kind]
    text = inspect.getdoc(layer) or ""
    assert layer.kind == kind
    assert layer.title
    assert layer.family in FAMILIES
    assert layer.aliases
    assert any(not alias.isascii() for alias in layer.aliases), "no Chinese name"
    assert layer.stem.isidentifier()
    assert not keyword.iskeyword(layer.stem)
    assert layer.__doc__ is not Layer.__doc__
    assert text.splitlines()[0].endswith("."), text


@pytest.mark.parametrize("kind", KINDS)
def test_options_explain_themselves(kind: str) -> None:
    for option in options_of(CATALOGUE[kind]):
        assert option.help.endswith("."), option
        assert option.help[0] in option.help[0].upper(), option
        assert option.minimum is None or option.maximum is None or option.minimum < option.maximum


@pytest.mark.parametrize("kind", KINDS)
def test_defaults_are_within_the_limits(kind: str) -> None:
    layer = added(kind)
    for option in options_of(type(layer)):
        option.evaluate(option.default, SCOPE)
        assert option.default is not None or option.optional, option


@pytest.mark.parametrize("kind", KINDS)
def test_ports_have_names_of_their_own(kind: str) -> None:
    layer = added(kind)
    for ports in (layer.inputs(), layer.outputs()):
        names = [port.name for port in ports]
        assert len(set(names)) == len(names)
    assert sum(port.variadic for port in layer.inputs()) <= 1
    assert "_" not in [port.name for port in layer.outputs()]


@pytest.mark.parametrize("kind", KINDS)
def test_works_on_what_is_not_known(kind: str) -> None:
    layer = added(kind)
    inputs = anything(layer)
    examined = examine(layer, inputs)
    assert [str(r.message) for r in examined.remarks if r.severity == "error"] == []
    assert examined.result is not None
    assert len(examined.result.outputs) == len(layer.outputs())
    assert isinstance(layer.caption(examined.result, inputs), str)
    assert (examined.result.written is None) is (kind in ("Input", "Output"))


@pytest.mark.parametrize("kind", MODULES)
def test_options_stand_in_pytorchs_order_with_its_defaults(kind: str) -> None:
    signature = inspect.signature(getattr(nn, kind).__init__).parameters.values()
    parameters = {
        parameter.name: parameter
        for parameter in list(signature)[1:]
        if parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    }
    if not parameters:
        return  # it takes what another module takes, which its own tests hold against that
    ours = {
        o.name: o for o in options_of(CATALOGUE[kind]) if o.name not in CATALOGUE[kind].not_torch
    }
    assert list(ours) == [name for name in parameters if name not in UNDRAWN]
    for name, option in ours.items():
        default = parameters[name].default
        if default is not inspect.Parameter.empty:
            # A function is written by its name.
            assert option.default == getattr(default, "__name__", default), name


def changed(option: Option) -> st.SearchStrategy[Any]:
    """Values of an option that a person may choose."""
    if option.kind == "flag":
        return st.booleans()
    if option.choices:
        return st.sampled_from(option.choices)
    if option.kind in ("size", "integer") and option.many != "always":
        low = max(-3, int(-3 if option.minimum is None else option.minimum))
        return st.integers(low, min(6, int(6 if option.maximum is None else option.maximum)))
    return st.just(option.default)


@st.composite
def tensors(draw: st.DrawFn) -> Tensor:
    """Tensors of any rank and dtype, of which much or little is known."""
    shape = draw(st.lists(st.sampled_from(SIZES), max_size=6))
    dtype = draw(st.sampled_from(["float32", "float32", "float32", *DTYPE_BYTES]))
    return Tensor(tuple(shape), dtype, partial=draw(st.booleans()))


@st.composite
def uses(draw: st.DrawFn) -> tuple[Layer, Inputs]:
    """A layer with options and inputs that may or may not fit it."""
    kind = draw(st.sampled_from(KINDS))
    declared = [option for option in options_of(CATALOGUE[kind]) if draw(st.booleans())]
    layer = added(kind, **{option.name: draw(changed(option)) for option in declared})
    inputs: dict[str, Tensor | tuple[Tensor, ...]] = {}
    for port in layer.inputs():
        if port.variadic:
            inputs[port.name] = tuple(draw(st.lists(tensors(), min_size=1, max_size=3)))
        elif not port.optional or draw(st.booleans()):
            inputs[port.name] = draw(tensors())
    return layer, inputs


@settings(max_examples=500)
@given(uses())
def test_any_use_has_a_result_or_a_refusal(use: tuple[Layer, Inputs]) -> None:
    layer, inputs = use
    examined = examine(layer, inputs)
    refusals = [str(r.message) for r in examined.remarks if r.severity == "error"]
    assert examined.result is not None or refusals
    for sentence in (str(remark.message) for remark in examined.remarks):
        assert sentence.endswith("."), sentence
    if examined.result is not None:
        assert len(examined.result.outputs) == len(layer.outputs())
        assert isinstance(layer.caption(examined.result, inputs), str)
