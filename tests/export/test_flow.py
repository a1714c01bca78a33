"""Names of values in the forward pass, where loops need some of them in each round."""

from __future__ import annotations

from typing import Any

import torch

from designer.export.pytorch import write
from tests.export.designs import built
from tests.gallery.sketch import Sketch


def looped() -> Sketch:
    """A block whose copies each get the same second input."""
    sketch = Sketch("Looped", "Basics", "A chain into each round of a loop.")
    sketch.dimension("B", "batch")
    with sketch.block("Again"):
        x = sketch.input("x", "B", 4)
        side = sketch.input("side", "B", 4)
        h = sketch.add("Linear", x, name="fc", out_features=4)
        sketch.output(sketch.add("Add", h, side, name="add"))
    return sketch


def test_a_chain_into_each_round_has_a_name_of_its_own() -> None:
    sketch = looped()
    image = sketch.input("image", "B", 4)
    x = sketch.add("ReLU", image, name="start")
    side = sketch.add("Tanh", sketch.add("Neg", x, name="neg"), name="later")
    sketch.output(sketch.use("Again", x, side, name="rounds", copies=3))
    module: Any = built(write(sketch.editor.analysis, "Looped").text)
    given = torch.randn(2, 4)
    expected = given.relu()
    for each in module.rounds:
        expected = each.fc(expected) + (-given.relu()).tanh()
    torch.testing.assert_close(module(given), expected)


def test_a_value_that_starts_a_loop_stays_in_each_round_too() -> None:
    sketch = looped()
    x = sketch.add("ReLU", sketch.input("image", "B", 4), name="start")
    sketch.output(sketch.use("Again", x, x, name="rounds", copies=3))
    module: Any = built(write(sketch.editor.analysis, "Looped").text)
    given = torch.randn(2, 4)
    expected = given.relu()
    for each in module.rounds:
        expected = each.fc(expected) + given.relu()
    torch.testing.assert_close(module(given), expected)
