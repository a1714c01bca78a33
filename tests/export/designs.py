"""Random designs over the whole catalogue, and an interpreter that runs the drawing itself."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any

import torch

from designer.core import edits, size
from designer.core.analysis import Analysis
from designer.core.cost import trials
from designer.core.document import Dimension, Variable
from designer.core.expression import Expression
from designer.core.graph import ParamRef, Source, Target
from designer.core.layer import CATALOGUE
from designer.core.parts import names_used
from designer.export.check import at_trial_sizes
from designer.export.pytorch import export_problems, write
from designer.export.uses import code_of
from tests.core.drawing import Drawing
from tests.layers.oracle import Interpreter, named_outputs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from designer.core.document import Document
    from designer.core.graph import NodeId
    from designer.core.tensor import Tensor

E = Expression
SIZES = (1, 2, 3, 4, 6, 8, E("d"), E("2*d"), E("d//h"), E("h"), E("d + 1"), E("wide"))
NAMES = (
    "conv",
    "x",
    "h",
    "l",
    "self",
    "forward",
    "b",
    "t",
    "weight",
    "注意力",
    "F",
    "a" * 70,
    "1st",
)


def options_for(kind: str, pick: Random) -> dict[str, Any]:
    """Some options of a layer, small enough for small inputs."""
    several: dict[str, dict[str, Any]] = {
        "Linear": {
            "out_features": pick.choice(SIZES),
            "bias": pick.choice((True, False, E("flag"))),
        },
        "LayerNorm": {
            "elementwise_affine": pick.random() < 0.7,
            "eps": pick.choice((1e-5, E("p"))),
        },
        "GroupNorm": {"num_groups": pick.choice((1, 2, E("h")))},
        "BatchNorm1d": {"affine": pick.random() < 0.7, "track_running_stats": pick.random() < 0.7},
        "MultiheadAttention": {
            "num_heads": pick.choice((1, 2, E("h"))),
            "batch_first": pick.random() < 0.5,
            "need_weights": pick.random() < 0.5,
            "bias": pick.random() < 0.5,
        },
        "Embedding": {
            "num_embeddings": pick.choice((1000, E("125*d"))),
            "embedding_dim": pick.choice(SIZES),
        },
        "PositionEmbedding": {"max_len": 64, "embedding_dim": pick.choice(SIZES)},
        "Split": {"chunks": pick.choice((1, 2, 3)), "dim": pick.choice((-1, 0, 1))},
        "Reshape": {
            "shape": pick.choice(((-1,), (E("B"), -1), (-1, E("d")), (E("B"), E("T"), -1)))
        },
        "Unflatten": {"unflattened_size": pick.choice(((1, -1), (E("h"), -1), (2, E("d//2"))))},
        "Flatten": {"start_dim": pick.choice((0, 1)), "end_dim": pick.choice((-1, 1, 2))},
        "Slice": {
            "start": pick.choice((None, 0, 1)),
            "stop": pick.choice((None, 2, -1)),
            "dim": pick.choice((0, 1, -1)),
        },
        "Dropout": {"p": pick.choice((0.1, E("p"), E("p / l")))},
        "Concat": {"dim": pick.choice((0, 1, -1))},
        "Softmax": {"dim": -1},
        "GELU": {"approximate": pick.choice(("none", "tanh", E("approx")))},
        "LeakyReLU": {"negative_slope": pick.choice((0.2, E("sqrt(p)"), E("round(10*p)")))},
    }
    if kind in ("RNN", "LSTM", "GRU"):
        return {
            "hidden_size": pick.choice((2, 3, E("d"))),
            "num_layers": pick.choice((1, 2)),
            "bidirectional": pick.random() < 0.5,
            "batch_first": pick.random() < 0.5,
            "bias": pick.random() < 0.7,
        }
    if kind.startswith("Conv"):
        return {
            "out_channels": pick.choice((2, 4, E("d"), E("2*d"))),
            "kernel_size": pick.choice((1, 2, 3)),
            "padding": pick.choice((0, 1, "same")),
            "groups": pick.choice((1, 1, 2)),
            "bias": pick.random() < 0.7,
        }
    if "MaxPool" in kind:
        return {"return_indices": pick.random() < 0.5}
    return several.get(kind) or composed(kind, pick)


def composed(kind: str, pick: Random) -> dict[str, Any]:
    """Some options of a ready-made block."""
    heads = {"n_heads": pick.choice((1, 2, E("h")))}
    dropout = {"dropout": pick.choice((0.0, 0.1, E("p")))}
    keys = {**heads, "n_kv_heads": pick.choice((None, 1)), "rope_theta": pick.choice((1e4, 500.0))}
    step = {"stride": pick.choice((1, 2))}
    out = {"out_channels": pick.choice((4, E("d"))), **step}
    several: dict[str, dict[str, Any]] = {
        "CausalSelfAttention": {**heads, **dropout},
        "GPTBlock": {**heads, **dropout, "bias": pick.choice((True, False, E("flag")))},
        "GroupedQueryAttention": keys,
        "LlamaBlock": {**keys, "d_hidden": pick.choice(SIZES)},
        "GatedMLP": {"d_hidden": pick.choice(SIZES)},
        "MLP": {**dropout, "d_hidden": pick.choice((None, E("3*d")))},
        "BasicBlock": out,
        "Bottleneck": {"channels_within": pick.choice((1, 2)), **step},
        "DepthwiseSeparable": out,
        "InvertedResidual": {**out, "expand_ratio": pick.choice((1, 2))},
    }
    return several.get(kind, {})


def random_design(pick: Random, layers: int = 12) -> Document:
    """A design that can be exported, with several inputs and outputs, ties and locks."""
    drawing = Drawing(d=8, h=2, p=0.25, flag=True, approx="tanh", wide=E("d * h"), l=3)
    drawing.do(edits.set_variable("d", Variable(8, divisors=("h",))))
    drawing.do(edits.set_dimension("B", Dimension("batch", trial=2)))
    drawing.do(edits.set_dimension("T", Dimension("tokens", trial=5)))
    drawing.do(edits.set_title(pick.choice(("GPT-2 small", "", "卷积", 'a"""b', "x"))))
    _add_inputs(drawing, pick)
    kinds = [kind for kind in CATALOGUE if not kind.startswith(UNFIT)]
    added, tries = 0, 0
    while added < layers and tries < 12 * layers:
        tries += 1
        added += _added(drawing, pick, pick.choice(kinds if pick.random() < 0.6 else COMMON))
    _finish(drawing, pick)
    return drawing.editor.document


UNFIT = (
    *("Input", "Output"),
    *("FractionalMaxPool", "RandomNormal"),
    *("BCELoss", "GaussianNLLLoss"),
    *("NLLLoss", "CrossEntropyLoss", "LinearCrossEntropyLoss", "AdaptiveLogSoftmaxWithLoss"),
    *("MultiMarginLoss", "MultiLabelMarginLoss", "CTCLoss"),
    *("Gather", "TakeAlongDim", "Index", "Scatter", "OneHot"),
    *("FloorDivide", "Remainder"),
)
"""Where values enter and leave, what draws random numbers even in evaluation mode, and what takes
certain values only: probabilities, variances, indices within an axis, divisors other than 0."""

COMMON = [
    "Linear",
    "Add",
    "Concat",
    "MatMul",
    "Flatten",
    "LayerNorm",
    "LSTM",
    "Split",
    "Reshape",
    "Conv1d",
    "Conv2d",
    "Embedding",
    "MultiheadAttention",
    "ScaledDotProductAttention",
    "GPTBlock",
    "LlamaBlock",
    "BasicBlock",
    "InvertedResidual",
]


def _add_inputs(drawing: Drawing, pick: Random) -> None:
    shapes = (("B", "T", "d"), ("B", 4, 6, 6), ("B", "d"), ("T", "B", 8), ("B", 2, "2*T"))
    for shape in pick.sample(shapes, pick.choice((1, 2, 2))):
        drawing.input(*shape)
    if pick.random() < 0.4:
        drawing.input("B", "T", dtype="int64")


def _added(drawing: Drawing, pick: Random, kind: str) -> bool:
    """Add a layer to random outputs; taken back where it has a problem there."""
    editor, place = drawing.editor, drawing.editor.place
    sources = list(_outputs(drawing))
    loose = [s for s in sources if not editor.document.graph.targets.get(s.node)]
    ports = CATALOGUE[kind]().inputs()
    node = editor.document.next_id
    name = pick.choice(NAMES) if pick.random() < 0.2 else ""
    if any(name == other.name for other in editor.document.graph.nodes.values()):
        name = ""
    drawing.do(edits.add_node(kind, (0.0, 0.0), options_for(kind, pick), name))
    for port in ports:
        wires = pick.choice((2, 2, 3)) if port.variadic else 0 if port.optional else 1
        for slot in range(wires):
            source = pick.choice(loose if loose and pick.random() < 0.7 else sources)
            drawing.do(edits.connect(source, Target(node, port.name, slot)))
    problems = editor.analysis.problems_by_node.get(node, ())
    unsure = any(tensor.partial for tensor in editor.analysis.findings[node].outputs.values())
    blocked = any(problem.blocks for problem in problems)
    if blocked or unsure or _is_large(editor.analysis, node) or _is_wrong(editor.analysis, node):
        while editor.place > place:
            editor.undo()
        return False
    return True


def _is_wrong(analysis: Analysis, node: NodeId) -> bool:
    """Whether the layer does not work at the trial sizes, or would be made for one size only."""
    tried = Analysis(at_trial_sizes(analysis.document)).problems_by_node.get(node, ())
    code = code_of(analysis, node)
    free = names_used(code.make) & {"B", "T"} if code else ()
    return bool(free) or any(problem.blocks for problem in tried)


def _is_large(analysis: Analysis, node: NodeId) -> bool:
    sizes = trials(analysis)
    counts = [tensor.count for tensor in analysis.findings[node].outputs.values()]
    return any((size.value(size.substitute(count, sizes)) or 0) > 20_000 for count in counts)


def _outputs(drawing: Drawing) -> Iterator[Source]:
    for id, finding in drawing.editor.analysis.findings.items():
        for port in finding.outputs:
            yield Source(id, port)


def _finish(drawing: Drawing, pick: Random) -> None:
    """Return some values, tie what fits, lock some layers."""
    loose = [s for s in _outputs(drawing) if not drawing.editor.document.graph.targets.get(s.node)]
    for source in pick.sample(loose, min(len(loose), pick.choice((1, 1, 2, 3)))):
        node = drawing.add("Output")
        drawing.do(edits.connect(source, Target(node, "x")))
    params = [
        (ParamRef(id, param.name), [str(axis) for axis in param.shape])
        for id, finding in drawing.editor.analysis.findings.items()
        for param in finding.params
        if param.part == "weight" and finding.layer is not None and finding.layer.kind == "Linear"
    ]
    for param, shape in params[1:]:
        if shape == params[0][1] and pick.random() < 0.7:
            drawing.do(edits.tie(param, params[0][0]))
    learning = [id for id, f in drawing.editor.analysis.findings.items() if f.params]
    drawing.do(edits.set_trainable([id for id in learning if pick.random() < 0.2], False))


# Running


def exported(document: Document, **arguments: Any) -> torch.nn.Module:
    """The module of the exported code, in evaluation mode."""
    analysis = Analysis(document)
    assert not export_problems(analysis), [str(p.message) for p in export_problems(analysis)]
    return built(write(analysis, document.title).text, **arguments)


def built(text: str, **arguments: Any) -> torch.nn.Module:
    """The module that generated code defines, in evaluation mode."""
    namespace: dict[str, Any] = {"__name__": "exported"}
    exec(compile(text, "exported", "exec"), namespace)
    own = [v for v in namespace.values() if getattr(v, "__module__", "") == "exported"]
    classes = [value for value in own if isinstance(value, type)]
    module = classes[-1](**arguments).eval()
    assert isinstance(module, torch.nn.Module)
    return module


def concrete(part: Any, sizes: dict[str, size.Size]) -> Any:
    """An expression of a layer's code with trial sizes in place of free dimensions."""
    if isinstance(part, size.Symbolic):
        return size.substitute(part, sizes)
    if isinstance(part, (tuple, list)):
        return type(part)(concrete(each, sizes) for each in part)
    if isinstance(part, slice):
        return slice(*(concrete(each, sizes) for each in (part.start, part.stop, part.step)))
    if is_dataclass(part) and not isinstance(part, type):
        changed = {f.name: concrete(getattr(part, f.name), sizes) for f in fields(part)}
        return replace(part, **changed)
    return part


def drawn(document: Document, module: Any, inputs: list[torch.Tensor]) -> list[torch.Tensor]:
    """What the drawing computes, layer by layer, with the layers' modules taken from `module`."""
    analysis, graph = Analysis(document), document.graph
    ids = graph.ids()
    given = [Source(id, "out") for id in ids if graph.nodes[id].kind == "Input"]
    values: dict[Source, Any] = dict(zip(given, inputs, strict=True))
    for id in analysis.network.ordered():
        values |= computed(analysis, id, values, module)
    outputs = [id for id in ids if graph.nodes[id].kind == "Output"]
    return [values[next(iter(graph.edges_into(id))).source] for id in outputs]


def computed(
    analysis: Analysis, id: NodeId, values: dict[Source, Any], module: Any
) -> dict[Source, torch.Tensor]:
    """The outputs of one layer of the drawing."""
    finding = analysis.findings[id]
    code = finding.result.written if finding.result else None
    if code is None:
        return {}
    assert finding.layer is not None
    variadic = {port.name for port in finding.layer.inputs() if port.variadic}
    arrived: dict[str, Any] = {port: [] for port in variadic}
    for edge in analysis.document.graph.edges_into(id):
        port, value = edge.target.port, values[edge.source]
        arrived[port] = [*arrived[port], value] if port in variadic else value
    run = Interpreter(replace(code, make=None), arrived)
    run.module = getattr(module, analysis.document.graph.nodes[id].attribute, None)
    value = run.run(concrete(code.use, dict(trials(analysis))))
    ports = named_outputs(code.returns or next(iter(finding.outputs)), value)
    return {Source(id, port): tensor for port, tensor in ports.items()}


def random_inputs(document: Document) -> list[torch.Tensor]:
    """Random tensors for the inputs of a document, with its trial sizes."""
    analysis = Analysis(document)
    sizes = trials(analysis)
    return [
        _random(next(iter(analysis.findings[id].outputs.values())), dict(sizes))
        for id in document.graph.ids()
        if document.graph.nodes[id].kind == "Input"
    ]


def _random(tensor: Tensor, sizes: dict[str, size.Size]) -> torch.Tensor:
    shape = [size.value(size.substitute(axis, sizes)) or 0 for axis in tensor.shape]
    if tensor.dtype == "int64":
        return torch.randint(0, 7, shape)
    return torch.randn(shape)
