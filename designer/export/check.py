"""The proof: the exported module, built by a Python that has torch, compared with the drawing."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from math import ceil, lcm
from typing import TYPE_CHECKING, Any, NamedTuple

from designer import resources
from designer.core import cost, count, edits, numbers, size
from designer.core.analysis import Analysis
from designer.core.block_edits import use_preset
from designer.core.document import Variable, drafted
from designer.core.message import Message, message
from designer.core.tensor import Tensor
from designer.export import program
from designer.export.pytorch import write
from designer.export.uses import inputs_of, outputs_of
from designer.files.refusal import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from designer.core.document import Dimension, Document
    from designer.core.graph import NodeId

MOST_ON_CPU = 50_000_000
"""A module with more parameters, or with more values in its forward pass, has only shapes."""

MOST_OPERATIONS = 20_000_000_000
"""The same for the operations of its forward pass."""

MOST_TENSORS = 100_000
"""A module with more of them takes too long to build."""

MOST_AGAIN = 10_000
"""A module with more is compared as drawn only, and where it is smaller."""

REDUCED = 32
"""About what variables are reduced to."""

LONGEST_SHOWN = 400
SECONDS = 300
PROBE_SECONDS = 60
SETTING = "NETDRAFT_PYTHON"
"""The environment variable that names a Python with torch."""

HAS_TORCH = "import importlib.util as u, sys; sys.exit(u.find_spec('torch') is None)"


@dataclass(frozen=True, slots=True)
class Case:
    """One setting of variables and free dimensions, and what was found there.

    `skipped` says why it was not run. `device` is cpu or meta (shapes without numbers).
    """

    name: Message
    device: str = "cpu"
    differences: tuple[Message, ...] = ()
    skipped: Message | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What the comparison found; `failure` says why there was none."""

    cases: tuple[Case, ...] = ()
    torch: str = ""
    failure: Message | None = None

    @property
    def matches(self) -> bool:
        """Whether the export was compared and no difference was found."""
        ran = [case for case in self.cases if case.skipped is None]
        return self.failure is None and bool(ran) and not any(c.differences for c in ran)


class CheckError(Exception):
    """A comparison that could not be made; `message` says why."""

    def __init__(self, text: Message) -> None:
        super().__init__(str(text))
        self.message = text


def check(
    document: Document,
    python: str | None = None,
    seconds: float = SECONDS,
    started: Callable[[subprocess.Popen[bytes]], None] | None = None,
) -> Report:
    """Compare the exported PyTorch module of a document with its analysis, in a child process.

    Every state-dict key in order, shapes, dtypes, ties, what is trained, the total and the shapes
    of the outputs are compared: as drawn, and with other sizes and variables. `python` is one
    that has torch; otherwise one is looked for. `started` is given the child, to end it early.
    Raises ExportError where the design cannot be exported.
    """
    analysis = Analysis(document)
    source = write(analysis, document.title)
    trials = [_trial(setting, analysis) for setting in settings(document)]
    request = {
        "source": source.text,
        "class": source.name,
        "cases": [trial.request for trial in trials if trial.request is not None],
    }
    try:
        answer = _ask(python or find_python(), request, seconds, started)
    except CheckError as error:
        return Report(tuple(trial.case for trial in trials), failure=error.message)
    found = iter(answer["cases"])
    cases = tuple(_with_differences(trial, found) for trial in trials)
    return Report(cases, answer["torch"])


# Settings


class Setting(NamedTuple):
    """A document with certain values; `preset` is the preset that has them."""

    name: Message
    document: Document
    preset: str = ""


def settings(document: Document) -> Iterator[Setting]:
    """The document as drawn, at its presets, and with other sizes and values of variables."""
    yield Setting(message("as drawn"), document)
    for name in document.presets:
        changed = drafted(document, use_preset(name))[0]
        yield Setting(message("preset {name}", name=name), changed, name)
    small = _with_sizes(document, lambda d: 2 * d.multiple)
    if document.dimensions:
        yield Setting(message("other sizes"), _with_sizes(document, lambda d: d.trial + d.multiple))
        yield Setting(message("small sizes"), small)
    whole = {name: v.value for name, v in document.variables.items() if type(v.value) is int}
    if whole:
        doubled = {name: 2 * value for name, value in whole.items()}
        yield Setting(message("variables doubled"), _with_variables(document, doubled))
        yield Setting(
            message("variables stepped"), _with_variables(document, _stepped(document, whole))
        )
        yield Setting(
            message("variables reduced"), _with_variables(small, _reduced(document, whole))
        )
    flags = {n: not v.value for n, v in document.variables.items() if isinstance(v.value, bool)}
    if flags:
        yield Setting(message("flags turned round"), _with_variables(document, flags))


def _with_sizes(document: Document, trial: Callable[[Dimension], int]) -> Document:
    """Other trial sizes, each a multiple of what is declared."""
    dimensions: Mapping[str, Dimension] = document.dimensions
    changed = [
        edits.set_dimension(name, replace(d, trial=trial(d))) for name, d in dimensions.items()
    ]
    return drafted(document, edits.all_of(changed))[0]


def _with_variables(document: Document, values: Mapping[str, Any]) -> Document:
    variables: Mapping[str, Variable] = document.variables
    changed = [
        edits.set_variable(name, replace(variables[name], value=value))
        for name, value in values.items()
    ]
    return drafted(document, edits.all_of(changed))[0]


def _stepped(document: Document, whole: Mapping[str, int]) -> dict[str, int]:
    """Variables with what divides them added; those that divide others stay."""
    return {name: whole[name] + step for name, step in _steps(document, whole).items()}


def _reduced(document: Document, whole: Mapping[str, int]) -> dict[str, int]:
    """Variables as small multiples of what divides them, so that the module fits on the CPU."""
    return {
        name: min(whole[name], step * ceil(REDUCED / step))
        for name, step in _steps(document, whole).items()
    }


def _steps(document: Document, whole: Mapping[str, int]) -> dict[str, int]:
    """What each variable can be raised by, of those that divide no other one."""
    variables = document.variables
    dividing = {name for variable in variables.values() for name in variable.divisors}
    return {
        name: lcm(*(_divisor(whole, divisor) for divisor in variables[name].divisors))
        for name in whole
        if name not in dividing
    }


def _divisor(whole: Mapping[str, int], divisor: str | int) -> int:
    number = divisor if isinstance(divisor, int) else whole.get(divisor, 1)
    return max(1, abs(number))


# Requests


@dataclass(frozen=True, slots=True)
class Trial:
    """A case, and what the child is asked about it; None where it is skipped."""

    case: Case
    request: dict[str, Any] | None = None


def _trial(setting: Setting, drawn: Analysis) -> Trial:
    """What holds of a document, which differs from the drawn one in its names' values only."""
    name, document, preset = setting
    analysis = drawn if document is drawn.document else Analysis(document)
    tried = Analysis(at_trial_sizes(document))
    again = document is not drawn.document
    doubt = _doubt(analysis, again=again) or _doubt(tried, again=again)
    if doubt is not None:
        return Trial(Case(name, skipped=doubt))
    device = _device(tried)
    made = program.build(analysis)
    methods = {preset.title: preset.method for preset in made.presets}
    return Trial(
        Case(name, device),
        {
            "device": device,
            "arguments": {argument.name: argument.default for argument in made.constructed},
            "preset": methods.get(preset),
            "inputs": [_value(tried, id) for id in inputs_of(tried)],
            "outputs": [_value(tried, id) for id in outputs_of(tried)],
            "tensors": [_tensor(row) for row in count.rows(tried)],
            "total": tried.counted.parameters,
        },
    )


def at_trial_sizes(document: Document) -> Document:
    """The document with its free dimensions as variables that have their trial sizes.

    Blocks see free dimensions, but no variables: there they are arguments that no use gives.
    """
    fixed = {
        name: Variable(dimension.trial, divisors=(dimension.multiple,))
        for name, dimension in document.dimensions.items()
    }
    blocks = {
        name: replace(block, arguments={**block.arguments, **fixed})
        for name, block in document.blocks.items()
    }
    variables = {**document.variables, **fixed}
    return replace(document, dimensions={}, variables=variables, blocks=blocks)


def _doubt(analysis: Analysis, *, again: bool) -> Message | None:
    """Why a design promises nothing as it stands; `again` where it was compared as drawn."""
    for name, dimension in analysis.document.dimensions.items():
        if dimension.trial % dimension.multiple:
            template = "{name} = {trial} is not a multiple of {multiple}."
            at = {"trial": dimension.trial, "multiple": dimension.multiple}
            return message(template, name=name, **at)
    tensors = count.tensors(analysis)
    if tensors > MOST_TENSORS:
        return message("{count} tensors are too many to build.", count=numbers.count(tensors))
    if again and tensors > MOST_AGAIN:
        return message("{count} tensors are too many to build again.", count=numbers.count(tensors))
    return next((p.message for p in analysis.problems() if p.blocks), None)


def _value(analysis: Analysis, id: NodeId) -> dict[str, Any]:
    """The tensor that an Input gives or an Output takes."""
    finding = analysis.findings[id]
    tensor = next(iter((*finding.outputs.values(), *finding.inputs.values())))
    assert isinstance(tensor, Tensor)
    name = analysis.document.graph.nodes[id].name
    return {"name": name, "shape": _known(tensor.shape), "dtype": tensor.dtype}


def _known(shape: tuple[size.Size, ...]) -> list[int | None]:
    return [size.value(axis) for axis in shape]


def _tensor(row: count.Row) -> dict[str, Any]:
    return {
        "key": row.key,
        "shape": _known(row.param.shape),
        "dtype": row.param.dtype,
        "parameter": row.param.part != "buffer",
        "trainable": row.trainable,
        "owner": row.owner,
    }


def _device(analysis: Analysis) -> str:
    """Where the module is built: on the CPU as long as that is quick and fits."""
    elements = sum(
        size.value(tensor.count) or 0
        for finding in analysis.findings.values()
        for tensor in finding.outputs.values()
    )
    large = max(analysis.counted.parameters, elements) > MOST_ON_CPU
    return "meta" if large or cost.forward(analysis).flops > MOST_OPERATIONS else "cpu"


# The child


def find_python() -> str:
    """A Python that has torch: the configured one, the running one, or one on the PATH.

    Raises CheckError where there is none.
    """
    configured = os.environ.get(SETTING)
    if configured:
        return configured
    if not getattr(sys, "frozen", False) and importlib.util.find_spec("torch") is not None:
        return sys.executable
    for name in ("python3", "python"):
        found = shutil.which(name)
        if found and _has_torch(found):
            return found
    raise CheckError(
        message("No Python with torch was found; set {setting} to one.", setting=SETTING)
    )


def _has_torch(python: str) -> bool:
    try:
        found = subprocess.run(
            [python, "-c", HAS_TORCH], capture_output=True, timeout=PROBE_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return found.returncode == 0


def _ask(
    python: str,
    request: dict[str, Any],
    seconds: float,
    started: Callable[[subprocess.Popen[bytes]], None] | None = None,
) -> dict[str, Any]:
    """The child's answer; raises CheckError where it has none."""
    script = resources.path("probe", "check_module.py")
    pipe = subprocess.PIPE
    try:
        with subprocess.Popen([python, str(script)], stdin=pipe, stdout=pipe, stderr=pipe) as child:
            if started is not None:
                started(child)
            done = _finished(child, json.dumps(request).encode(), seconds)
    except subprocess.TimeoutExpired:
        text = message("The comparison took longer than {seconds:g} s.", seconds=seconds)
        raise CheckError(text) from None
    except OSError as error:
        text = message("{python} cannot be run: {reason}", python=python, reason=error.strerror)
        raise CheckError(text) from None
    if done.returncode:
        raise CheckError(_crash(python, done))
    try:
        answer: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        raise CheckError(message("{python} gave no answer.", python=python)) from None
    return answer


def _finished(
    child: subprocess.Popen[bytes], data: bytes, seconds: float
) -> subprocess.CompletedProcess[bytes]:
    """What the child came to; it is ended where it takes too long."""
    try:
        output, errors = child.communicate(data, timeout=seconds)
    except BaseException:
        child.kill()
        raise
    return subprocess.CompletedProcess(child.args, child.returncode, output, errors)


def _crash(python: str, done: subprocess.CompletedProcess[bytes]) -> Message:
    said = done.stderr.decode("utf-8", "replace").strip().splitlines()
    reason: str | Message = said[-1][:300] if said else message("no message")
    if done.returncode < 0:
        reason = message("signal {number}", number=-done.returncode)
    return message("{python} failed: {reason}", python=python, reason=reason)


# Differences


def _with_differences(trial: Trial, found: Iterator[list[list[Any]]]) -> Case:
    if trial.request is None:
        return trial.case
    return replace(trial.case, differences=tuple(_difference(*each) for each in next(found)))


TEMPLATES = {
    "missing": "{name} is not in the module.",
    "unexpected": "{name} is in the module, but not in the drawing.",
    "order": "{expected} comes where the module has {got}.",
    "shape": "{name} has the shape {got}, not {expected}.",
    "dtype": "{name} is {got}, not {expected}.",
    "parameter": "{name}: parameter is {got}, not {expected}.",
    "trainable": "{name}: trained is {got}, not {expected}.",
    "tie": "{name} should be the tensor of {expected}, and is that of {got}.",
    "total": "The module has {got} parameters, not {expected}.",
    "outputs": "The module returns {got} values, not {expected}.",
    "output shape": "{name} comes out as {got}, not {expected}.",
    "output dtype": "{name} comes out as {got}, not {expected}.",
    "raises": "The module raises {name}: {got}",
}


def _difference(kind: str, name: str, expected: object, got: object) -> Message:
    said = {"name": _shown(name), "expected": _shown(expected), "got": _shown(got)}
    used = {key: value for key, value in said.items() if f"{{{key}}}" in TEMPLATES[kind]}
    return message(TEMPLATES[kind], **used)


def _shown(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return numbers.count(value)
    return shown(str(value), LONGEST_SHOWN)
