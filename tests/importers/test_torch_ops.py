"""Calls of PyTorch become layers: recorded calls agree, and what is not mapped says so."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from torch import nn
from torch.nn import functional

from designer.core import size
from designer.core.expression import Expression
from designer.core.layer import CATALOGUE, examine
from designer.core.tensor import Tensor
from designer.importers.torch_ops import (
    OPERATIONS,
    BadCall,
    Bound,
    CallError,
    Unmapped,
    bind,
    supported,
)
from designer.importers.torch_ops.table import found, place_of
from tests.truth.__main__ import main
from tests.truth.judge import judged
from tests.truth.recorded import Case, decoded, read

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parents[2]
RECORDED = ROOT / "tests" / "facts" / "layers.json"
WITHOUT_TORCH = """
import runpy
import sys
sys.modules["torch"] = None
runpy.run_module("tests.truth", run_name="__main__")
"""


def t(*shape: size.Size, dtype: str = "float32") -> Tensor:
    return Tensor(shape, dtype)


@cache
def cases() -> dict[str, list[Case]]:
    """The recorded calls of each operation that layers do."""
    found: dict[str, list[Case]] = {}
    for case in read(RECORDED):
        if supported(case.op):
            found.setdefault(case.op, []).append(case)
    return found


@pytest.mark.parametrize("op", list(cases()))
def test_recorded_calls_agree(op: str) -> None:
    outcomes = [judged(case) for case in cases()[op]]
    failed = [one for one in outcomes if one.standing == "failed"]
    assert not failed, "\n".join(f"{one.case.id}: {one.difference}" for one in failed)
    assert any(one.standing == "passed" for one in outcomes)


def test_all_recorded_operations_are_mapped() -> None:
    assert {case.op for case in read(RECORDED)} == cases().keys()
    assert len(cases()) == 298


# The command


def write(folder: Path, *recorded: Mapping[str, Any]) -> Path:
    file = folder / "cases.json"
    file.write_text(json.dumps({"cases": list(recorded)}), encoding="utf-8")
    return file


GOOD = {"id": "nn.ReLU/0", "op": "nn.ReLU", "in": [{"T": [2, 3]}], "out": [2, 3]}
WRONG = {"id": "nn.ReLU/1", "op": "nn.ReLU", "in": [{"T": [2, 3]}], "out": [2, 4]}
STRANGE = {"id": "torch.none/0", "op": "torch.none", "in": [{"T": [2]}], "out": [2]}


def refused(message: str) -> dict[str, object]:
    error = {"stage": "forward", "class": "RuntimeError", "msg": message}
    return {"id": "nn.ReLU/2", "op": "nn.ReLU", "in": [{"T": [2]}], "error": error}


@pytest.mark.parametrize(
    ("recorded", "last", "code"),
    [
        ([GOOD], "1 passed, 0 failed", 0),
        ([GOOD, WRONG], "1 passed, 1 failed", 1),
        ([GOOD, STRANGE], "1 passed, 1 failed", 1),
        ([refused("sizes differ")], "0 passed, 1 failed", 1),
        ([], "0 passed, 0 failed", 1),
    ],
)
def test_command_counts(
    recorded: list[dict[str, Any]],
    last: str,
    code: int,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main([str(write(tmp_path, *recorded))]) == code
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == last
    assert lines[-2].startswith("0 set aside")


def test_command_sets_aside_what_is_beyond_shapes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kernel = "could not create a primitive descriptor for the convolution"
    recorded = (GOOD, refused("\"relu\" not implemented for 'Float'"), refused(kernel))
    assert main([str(write(tmp_path, *recorded))]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-2].startswith("2 set aside")
    assert lines[-1] == "1 passed, 0 failed"


def test_command_shows_what_differs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main([str(write(tmp_path, GOOD, WRONG, STRANGE)), "--show", "9", "--op", "ReLU"])
    text = capsys.readouterr().out
    assert "[2, 3] float32; PyTorch [2, 4] float32" in text
    assert "torch.none" not in text


def test_command_names_a_file_that_it_cannot_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "none.json"
    assert main([str(file)]) == 2
    file.write_text("[]", encoding="utf-8")
    assert main([str(file)]) == 2
    assert "Cannot read" in capsys.readouterr().err


def test_command_runs_without_torch() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH, str(RECORDED), "--op", r"nn\.(Conv2d|LSTM)$"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "64 passed, 0 failed"


# Reading the record


def test_recorded_arguments() -> None:
    raw = [{"T": [2, 3], "dtype": "int64", "perm": [1, 0]}, {"L": [1, [2, 3]]}, {"ELL": 1}]
    assert decoded(raw) == (t(3, 2, dtype="int64"), [1, (2, 3)], ...)
    assert decoded({"slice": [None, 2, 1]}) == slice(None, 2, 1)
    module = decoded({"M": "nn.LayerNorm", "args": [4], "kw": {"bias": False}})
    assert (module.op, module.args, module.kwargs) == ("nn.LayerNorm", (4,), {"bias": False})


def test_training_refuses_what_evaluation_accepts() -> None:
    names = ("weight", "bias", "running_mean", "running_var")
    state = [[name, [4], "b"] if "run" in name else [name, [4]] for name in names]
    answer = {"out": [1, 4], "state": [*state, ["num_batches_tracked", [], "b"]]}
    standings = {}
    for mode in ("train", "eval"):
        case = Case("", "nn.BatchNorm1d", (4,), {}, (t(1, 4),), {}, mode == "train", answer)
        standings[mode] = judged(case).standing
    assert standings == {"train": "failed", "eval": "passed"}


# Binding


def test_arguments_go_to_options_and_ports() -> None:
    bound = bind("nn.Conv2d", (3, 8), {"kernel_size": [3, 5], "device": "cpu"}, (t(1, 3, 9, 9),))
    assert bound.kind == "Conv2d"
    assert bound.options["in_channels"] == 3
    assert bound.options["kernel_size"] == (3, 5)
    assert bound.inputs == {"x": t(1, 3, 9, 9)}


def test_inplace_is_passed_over_by_position_too() -> None:
    assert bind("nn.ReLU", (True,), {}, (t(2),)).options == {}
    assert bind("nn.Dropout", (0.1, True), {}, (t(2),)).options == {"p": 0.1}


def test_a_lazy_module_takes_its_first_size_from_the_input() -> None:
    bound = bind("nn.LazyLinear", (7,), {"bias": False}, (t(2, 5),))
    assert bound.kind == "Linear"
    assert (bound.options["in_features"], bound.options["out_features"]) == (None, 7)


def test_states_in_a_tuple_go_to_a_port_each() -> None:
    x, h, c = t(5, 2, 3), t(1, 2, 4), t(1, 2, 4)
    assert bind("nn.LSTM", (3, 4), {}, (x, (h, c))).inputs == {"x": x, "h_0": h, "c_0": c}


def test_defaults_are_those_of_the_function() -> None:
    assert bind("torch.flatten", inputs=(t(2, 3),)).options == {"start_dim": 0, "end_dim": -1}
    assert bind("nn.Flatten", inputs=(t(2, 3),)).options == {"start_dim": 1, "end_dim": -1}


def test_methods_are_functions_and_take_sizes_one_by_one() -> None:
    assert bind("Tensor.unsqueeze", inputs=(t(2), 0)) == bind("torch.unsqueeze", inputs=(t(2), 0))
    assert bind("Tensor.view", inputs=(t(6), 2, 3)) == bind("Tensor.view", inputs=(t(6), (2, 3)))
    assert bind("Tensor.tile", inputs=(t(6), 2)) == bind("torch.tile", inputs=(t(6), (2,)))


def test_a_weight_makes_the_options_and_must_fit() -> None:
    bound = bind("F.linear", inputs=(t(2, 3), t(5, 3), t(5)))
    assert (bound.options["in_features"], bound.options["out_features"]) == (3, 5)
    assert fault(bound) is None
    assert fault(bind("F.linear", inputs=(t(2, 3), t(5, 3), t(4)))) == (
        "Linear expects bias [5], got [4]."
    )


def test_a_bias_with_axes_of_1_before_it_is_added_apart() -> None:
    bound = bind("F.linear", inputs=(t(2, 3), t(5, 3), t(1, 5)))
    assert bound.kind == "Add"
    assert fault(bind("F.linear", inputs=(t(2, 3), t(5, 3), t(2, 5)))) == (
        "Linear expects bias [5], got [2, 5]."
    )


@pytest.mark.parametrize(
    ("op", "option", "made"),
    [
        ("F.layer_norm", "normalized_shape", (3,)),
        ("F.rms_norm", "normalized_shape", (3,)),
        ("torch.tile", "repeats", (1, 3)),
    ],
)
def test_some_functions_take_lists_and_no_plain_number(
    op: str, option: str, made: tuple[int, ...]
) -> None:
    with pytest.raises(BadCall, match="takes a list of axes, got 3"):
        bind(op, inputs=(t(2, 3), 3))
    assert bind(op, inputs=(t(2, 3), (3,))).options[option] == made


def fault(bound: Bound) -> str | None:
    from designer.core.building import build
    from designer.core.expression import NOTHING
    from designer.core.graph import Node

    node = Node("x", "x", bound.kind, tuple(bound.options.items()))
    layer = build(CATALOGUE[bound.kind], node, NOTHING).layer
    inputs = {port: fed for port, fed in bound.inputs.items() if isinstance(fed, Tensor)}
    result = examine(layer, inputs).result
    assert result is not None
    message = bound.fault(result)
    return None if message is None else str(message)


def test_free_sizes_stay_expressions() -> None:
    width = size.free("D")
    bound = bind("F.linear", inputs=(t(2, width), t(5, width)))
    assert bound.options["in_features"] == Expression("D")


def test_a_free_size_is_split_where_the_parts_are_exact() -> None:
    width = size.free("D")
    bound = bind("torch.split", inputs=(t(2, 3 * width), width), kwargs={"dim": 1})
    assert bound == Bound("Split", {"chunks": 3, "dim": 1}, {"x": t(2, 3 * width)})
    for part in (2, 2 * width, 0):
        with pytest.raises(Unmapped):
            bind("torch.split", inputs=(t(2, 3 * width), part), kwargs={"dim": 1})


def test_a_factor_of_the_second_operand_is_a_layer_of_its_own() -> None:
    x, y = t(2), t(3, 2)
    scaled = Bound("MultiplyScalar", {"value": 0.5}, {"x": y})
    assert bind("torch.add", inputs=(x, y), kwargs={"alpha": 0.5}) == Bound(
        "Add", {}, {"xs": (x, scaled)}
    )
    with pytest.raises(BadCall):
        bind("torch.add", inputs=(t(2, dtype="int64"),) * 2, kwargs={"alpha": 0.5})


def test_one_call_may_need_several_layers() -> None:
    bound = bind("torch.vstack", inputs=([t(3), t(2, 3)],))
    row = Bound("Unsqueeze", {"dim": 0}, {"x": t(3)})
    assert bound == Bound("Concat", {"dim": 0}, {"xs": (row, t(2, 3))})


def test_an_index_is_a_layer_for_each_part() -> None:
    x = t(4, 5, 6)
    assert bind("Tensor.__getitem__", inputs=(x, (..., None, -1))) == Bound(
        "Select",
        {"dim": 3, "index": -1},
        {"x": Bound("Unsqueeze", {"dim": 2}, {"x": x})},
    )
    assert bind("Tensor.__getitem__", inputs=(x, slice(None))) == Bound("Identity", {}, {"x": x})


def test_moved_axes_keep_the_order_of_the_others() -> None:
    bound = bind("torch.movedim", inputs=(t(2, 3, 4, 5), (0, 1), (-1, 0)))
    assert bound.options == {"dims": (1, 2, 3, 0)}
    with pytest.raises(BadCall):
        bind("torch.movedim", inputs=(t(2, 3), (0, 0), (0, 1)))


@pytest.mark.parametrize(
    ("op", "value", "kind"),
    [
        ("torch.add", 3, "AddScalar"),
        ("torch.mul", 0.5, "MultiplyScalar"),
        ("torch.rsub", 1, "SubtractScalar"),
        ("torch.pow", 2, "Power"),
        ("torch.add", t(2), "Add"),
        ("torch.div", t(2), "Divide"),
    ],
)
def test_numbers_and_tensors_on_the_right(op: str, value: object, kind: str) -> None:
    assert bind(op, inputs=(t(2), value)).kind == kind


def test_a_number_with_a_point_makes_integers_floats() -> None:
    x = t(2, dtype="int64")
    assert bind("torch.add", inputs=(x, 2)) == Bound("AddScalar", {"value": 2}, {"x": x})
    cast = Bound("Cast", {"dtype": "float32"}, {"x": x})
    assert bind("torch.add", inputs=(x, 2.0)) == Bound("AddScalar", {"value": 2.0}, {"x": cast})


@pytest.mark.parametrize(
    ("value", "raw"), [(float("-inf"), "-inf"), (float("inf"), "inf"), (0.0, 0.0)]
)
def test_infinities_are_words(value: float, raw: object) -> None:
    bound = bind("torch.masked_fill", inputs=(t(2), t(2, dtype="bool"), value))
    assert bound.options == {"value": raw}


@pytest.mark.parametrize(
    ("op", "arguments", "error", "words"),
    [
        ("torch.none", (t(2),), Unmapped, "No layer does what torch.none does."),
        ("torch.add", (t(2), t(2), t(2)), BadCall, "too many positional arguments"),
        ("torch.cat", ([],), BadCall, "torch.cat needs a tensor for xs."),
        ("torch.chunk", (t(2), 0), BadCall, "one part or more, got 0"),
        ("torch.mm", (t(2, 3, 4), t(4, 5)), BadCall, "takes 2 axes for input, got [2, 3, 4]"),
        ("F.conv1d", (t(1, 3, 6), t(4, 3)), BadCall, "takes 3 axes for weight, got [4, 3]"),
        ("torch.split", (t(size.free("T")), 2), Unmapped, "needs to know axis 0"),
    ],
)
def test_what_cannot_be_bound(
    op: str, arguments: tuple[object, ...], error: type[CallError], words: str
) -> None:
    with pytest.raises(error) as refusal:
        bind(op, inputs=arguments)
    assert words in str(refusal.value.message)


def test_an_argument_that_no_layer_has_is_not_passed_over() -> None:
    assert bind("F.softmax", inputs=(t(2),), inkw={"dim": 0}).options == {"dim": 0}
    with pytest.raises(Unmapped, match=r"F\.softmax has dtype float16"):
        bind("F.softmax", inputs=(t(2),), inkw={"dim": 0, "dtype": "float16"})


def test_a_module_that_cannot_be_made_is_refused_early() -> None:
    with pytest.raises(BadCall) as refusal:
        bind("nn.Linear", (3, 4), {"biased": True}, (t(2, 3),))
    assert refusal.value.early


# The table


def test_every_parameter_has_its_place() -> None:
    entered = [entry for entry in OPERATIONS.values() if entry.kind]
    assert len(entered) > 40
    for entry in entered:
        for parameter in entry.signature.parameters.values():
            assert place_of(entry.kind, parameter)


def module_names() -> list[str]:
    """What is made by PyTorch as a module, and is one here; not what takes anything at all."""
    kinds = [name for name in vars(nn) if supported(f"nn.{name}")]
    return [name for name in kinds if not any_arguments(getattr(nn, name))]


def any_arguments(module: type) -> bool:
    parameters = inspect.signature(module).parameters.values()
    return any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters)


@pytest.mark.parametrize("name", module_names())
def test_modules_are_made_as_those_of_pytorch(name: str) -> None:
    entry = found(f"nn.{name}")
    assert entry is not None
    mine = entry.signature.parameters
    real = inspect.signature(getattr(nn, name)).parameters
    assert [(p.name, p.kind) for p in mine.values()] == [(p.name, p.kind) for p in real.values()]
    for parameter in real.values():
        usual = "relu" if parameter.default is functional.relu else parameter.default
        assert mine[parameter.name].default == usual, parameter.name


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_recurrent_modules_need_two_sizes(kind: str) -> None:
    x = t(5, 2, 3)
    assert bind(f"nn.{kind}", (3, 4), {}, (x,)).options["hidden_size"] == 4
    for arguments in ((), (3,), (None, 4)):
        with pytest.raises(BadCall) as refusal:
            bind(f"nn.{kind}", arguments, {}, (x,))
        assert refusal.value.early


def test_modules_take_what_is_true_for_a_flag() -> None:
    x = t(2, 3)
    assert bind("nn.Linear", (3, 4), {"bias": 0}, (x,)).options["bias"] is False
    assert bind("nn.LSTM", (3, 4), {"batch_first": 0}, (x,)).options["batch_first"] == 0


@pytest.mark.parametrize(
    ("legacy", "reduction"),
    [
        ({"size_average": False}, "sum"),
        ({"reduce": False}, "none"),
        ({"size_average": True}, "mean"),
        ({"size_average": False, "reduce": False, "reduction": "mean"}, "none"),
        ({"reduction": "sum"}, "sum"),
    ],
)
def test_older_words_overrule_the_reduction(legacy: dict[str, object], reduction: str) -> None:
    x = t(2, 3)
    assert bind("nn.L1Loss", (), legacy, (x, x)).options["reduction"] == reduction
    assert bind("F.mse_loss", (), {}, (x, x), legacy).options["reduction"] == reduction


def told(op: str) -> inspect.Signature | None:
    """The signature of a function as PyTorch tells it; None where it does not."""
    try:
        signature = inspect.signature(getattr(functional, op.removeprefix("F.")))
    except ValueError:
        return None
    kinds = {parameter.kind for parameter in signature.parameters.values()}
    return None if inspect.Parameter.VAR_POSITIONAL in kinds else signature


TOLD = {op: told(op) for op in sorted(OPERATIONS) if op.startswith("F.")}


@pytest.mark.parametrize("op", [op for op, signature in TOLD.items() if signature])
def test_signatures_are_those_of_pytorch(op: str) -> None:
    real, mine = TOLD[op], OPERATIONS[op].signature
    assert real is not None
    assert list(mine.parameters) == [name for name in real.parameters if name != "out"]
    for name, parameter in mine.parameters.items():
        if name != "training":  # it changes no shape
            assert parameter.default == real.parameters[name].default, name
