"""The first designs: a line, a loop, layers one behind another."""

from __future__ import annotations

from tests.gallery import design
from tests.gallery.sketch import Sketch


@design("linear-regression")
def linear_regression() -> Sketch:
    """The smallest design that learns: 2 parameters."""
    sketch = Sketch(
        "Linear regression",
        "Basics",
        "y = ax + b: one weight and one bias, 2 parameters.",
        "torch.nn.Linear(1, 1)",
    )
    sketch.dimension("B", "batch")
    x = sketch.input("x", "B", 1)
    sketch.output(sketch.add("Linear", x, name="linear", out_features=1), "y")
    return sketch


@design("shared-loop")
def shared_loop() -> Sketch:
    """One line, ten times: depth without further parameters."""
    sketch = Sketch(
        "Ten layers that are one",
        "Basics",
        "The same y = ax + b ten times in a row: ten layers deep, still 2 parameters.",
        "for i in range(10): result = net(result)",
    )
    sketch.dimension("B", "batch")
    sketch.variable("n_layers", 10, "how often the line is applied")
    with sketch.block("Line", "One weight and one bias."):
        x = sketch.input("x", "B", 1)
        sketch.output(sketch.add("Linear", x, name="linear", out_features=1))
    x = sketch.input("x", "B", 1)
    net = sketch.use("Line", x, name="net", copies="n_layers", sharing="shared")
    sketch.output(net, "result")
    return sketch


@design("mlp")
def mlp() -> Sketch:
    """The network of the first exercise with handwritten digits."""
    sketch = Sketch(
        "MLP for digits",
        "Basics",
        "Two hidden layers of 512 on 28 × 28 pixels, ten classes.",
        "The classifier of PyTorch's first tutorial",
    )
    sketch.dimension("B", "batch")
    sketch.variable("hidden", 512, "width of the hidden layers")
    x = sketch.input("image", "B", 1, 28, 28)
    x = sketch.add("Flatten", x, name="flatten")
    for number in (1, 2):
        x = sketch.add("Linear", x, name=f"fc{number}", out_features="hidden")
        x = sketch.add("ReLU", x, name=f"relu{number}")
    sketch.output(sketch.add("Linear", x, name="fc3", out_features=10), "logits")
    return sketch


@design("mlp-100")
def mlp_100() -> Sketch:
    """A hundred hidden layers, 80,000 wide: not 7B."""
    sketch = Sketch(
        "MLP, 100 hidden layers",
        "Basics",
        "100,000 inputs, 100 hidden layers of 80,000, 5,000 outputs: 642B parameters, not 7B.",
        "100000 × 80000 + 99 × 80000 × 80000 + 80000 × 5000 weights, and the biases",
    )
    sketch.dimension("B", "batch")
    sketch.variable("inputs", 100_000, "size of an input")
    sketch.variable("width", 80_000, "width of a hidden layer")
    sketch.variable("n_hidden", 100, "hidden layers")
    sketch.variable("outputs", 5_000, "size of an output")
    with sketch.block("Hidden", "A hidden layer: as wide as the one before it."):
        sketch.variable("width", 80_000, "width of the layer")
        x = sketch.input("x", "B", "width")
        x = sketch.add("Linear", x, name="fc", out_features="width")
        sketch.output(sketch.add("ReLU", x, name="relu"))
    x = sketch.input("x", "B", "inputs")
    x = sketch.add("Linear", x, name="first", out_features="width")
    x = sketch.add("ReLU", x, name="relu")
    x = sketch.use("Hidden", x, name="hidden", copies="n_hidden - 1", width="width")
    sketch.output(sketch.add("Linear", x, name="last", out_features="outputs"), "y")
    sketch.preset("100 hidden layers", n_hidden=100)
    sketch.preset("2 hidden layers", n_hidden=2)
    return sketch
