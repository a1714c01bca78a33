"""The help of every layer: a sentence with a formula, and PyTorch's own name for it."""

from __future__ import annotations

import operator
import re

import pytest
import torch

import designer.layers  # noqa: F401  (fills the catalogue)
from designer.core.help import paragraphs, torch_link, torch_name
from designer.core.layer import CATALOGUE, Layer, Result, layer
from designer.core.option import option

FORMULA = re.compile("[=→−·∑Σ≠¬√‖²∏<>≤≥]|ln|cos|σ")
PLAIN_WORDS = {
    *("AlphaDropout", "FeatureAlphaDropout", "Topk"),
    *("NanToNum", "Einsum", "Median", "Meshgrid", "Rot90", "RepeatInterleave"),
    *("Input", "Output", "Arange", "Cast", "Parameter", "Buffer", "ReshapeLike"),
    *("FractionalMaxPool2d", "FractionalMaxPool3d", "Upsample", "UpsamplingBilinear2d"),
    *("AdaptiveLogSoftmaxWithLoss", "DepthwiseSeparable", "RandomNormal"),
}
"""Layers that a formula would not make plainer than their sentence."""


@pytest.mark.parametrize("kind", CATALOGUE)
def test_the_first_paragraph_is_a_sentence_with_a_formula(kind: str) -> None:
    first, *more = paragraphs(CATALOGUE[kind])
    assert all(text.endswith(".") for text in (first, *more))
    assert bool(FORMULA.search(first)) != (kind in PLAIN_WORDS), first


@pytest.mark.parametrize("kind", CATALOGUE)
def test_names_are_pytorchs(kind: str) -> None:
    name = torch_name(CATALOGUE[kind])
    if name:
        assert callable(operator.attrgetter(name.removeprefix("torch."))(torch))
    # What is a module of PyTorch is known by its name there.
    if hasattr(torch.nn, kind) and kind not in ("Flatten", "Unflatten"):
        assert name in (f"torch.nn.{kind}", f"torch.nn.parameter.{kind}")


def test_names_of_functions_methods_and_operators() -> None:
    names = {kind: torch_name(CATALOGUE[kind]) for kind in ("Add", "Reshape", "OneHot", "Exp")}
    assert names == {
        "Add": "torch.add",
        "Reshape": "torch.Tensor.reshape",
        "OneHot": "torch.nn.functional.one_hot",
        "Exp": "torch.exp",
    }
    assert [torch_name(CATALOGUE[kind]) for kind in ("Input", "Slice", "GPTBlock")] == ["", "", ""]


def test_links_lead_to_the_documentation() -> None:
    page = "https://docs.pytorch.org/docs/stable/generated/torch.nn.Linear.html"
    assert torch_link("torch.nn.Linear") == page
    assert torch_link(torch_name(CATALOGUE["CrossMapLRN2d"])) == ""
    assert torch_link("") == ""


def test_a_layer_whose_options_must_be_given_has_no_name() -> None:

    @layer("Needy", family="custom")
    class Needy(Layer):
        size: int = option(None, "It must be given.")

        def infer(self) -> Result:
            raise AssertionError

    del CATALOGUE["Needy"]
    assert torch_name(Needy) == ""
    assert paragraphs(Needy)[0].startswith("Needy(")
