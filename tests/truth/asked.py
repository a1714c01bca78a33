"""What PyTorch answers to calls: asked in a child process, since some calls crash it.

`python -m tests.truth.asked` reads calls, one JSON object a line, and writes an answer for each.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import torch

ROOT = Path(__file__).resolve().parents[2]
MEMORY = 6 * 2**30
"""Bytes that the child may have: a call that wants more is refused instead of stopping all."""


def answered(calls: Sequence[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[str]]:
    """The calls with `out` or `error`, and the ids of those that crash PyTorch, left out."""
    records: list[dict[str, Any]] = []
    crashed: list[str] = []
    while len(records) + len(crashed) < len(calls):
        rest = calls[len(records) + len(crashed) :]
        answers = _asked(rest)
        records += [{**call, **answer} for call, answer in zip(rest, answers, strict=False)]
        if len(answers) < len(rest):
            crashed.append(rest[len(answers)]["id"])
    return records, crashed


def _asked(calls: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Answers up to a crash. Raises RuntimeError where PyTorch does not even start."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.truth.asked"],
        cwd=ROOT,
        input="".join(f"{json.dumps(call)}\n" for call in calls),
        capture_output=True,
        text=True,
        check=False,
    )
    started, *answers = done.stdout.split("\n")[:-1] or [""]
    if not started:
        raise RuntimeError(done.stderr)
    return [json.loads(line) for line in answers]


# In the child


def main() -> None:
    """Answer every line."""
    import torch

    _limit_memory()
    torch.set_num_threads(1)
    print("started", flush=True)
    for line in sys.stdin:
        print(json.dumps(_answer(json.loads(line))), flush=True)


def _limit_memory() -> None:
    try:
        import resource
    except ImportError:  # there is none on Windows
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, resource.RLIM_INFINITY))


def _answer(call: dict[str, Any]) -> dict[str, Any]:
    import torch

    torch.manual_seed(0)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        try:
            function = _function(call)
        except Exception as error:  # noqa: BLE001  (every refusal is an answer)
            return _refusal("init", error)
        try:
            out = function(*_real(call.get("in", [])), **_each(call.get("inkw", {})))
        except Exception as error:  # noqa: BLE001
            return _refusal("forward", error)
    answer = {"out": _described(out)}
    return answer | {"state": _state(function)} if call["op"].startswith("nn.") else answer


def _refusal(stage: str, error: Exception) -> dict[str, Any]:
    sentence = re.sub(r"\s+", " ", str(error)).strip()[:240]
    return {"error": {"stage": stage, "class": type(error).__name__, "msg": sentence}}


def _function(call: dict[str, Any]) -> Any:
    import torch

    space, _, name = call["op"].partition(".")
    if space == "nn":
        module = _module(call["op"], call.get("args", []), call.get("kw", {}))
        return module.train(call.get("mode") != "eval")
    if space == "Tensor":
        return lambda x, *args, **kwargs: getattr(x, name)(*args, **kwargs)
    found: Any = torch.nn.functional if space == "F" else torch
    for part in name.split("."):
        found = getattr(found, part)
    return found


def _module(op: str, args: list[Any], kwargs: dict[str, Any]) -> torch.nn.Module:
    from torch import nn

    made: nn.Module = getattr(nn, op.removeprefix("nn."))(*_real(args), **_each(kwargs))
    return made


def _each(values: dict[str, Any]) -> dict[str, Any]:
    return {name: _real(value) for name, value in values.items()}


def _real(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_real(part) for part in value)
    if not isinstance(value, dict):
        return value
    return next(make(value) for key, make in _MAKERS.items() if key in value)


def _tensor(raw: dict[str, Any]) -> torch.Tensor:
    """Positive fractions; whole numbers are the lowest that may be, which is an index anywhere."""
    import torch

    dtype = getattr(torch, raw.get("dtype", "float32"))
    if dtype.is_floating_point or dtype.is_complex:
        x = (torch.rand(raw["T"]) * 0.8 + 0.1).to(dtype)
    else:
        x = torch.full(raw["T"], raw.get("lo", 0), dtype=dtype)
    return x.permute(raw["perm"]) if "perm" in raw else x


_MAKERS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "T": _tensor,
    "M": lambda raw: _module(raw["M"], raw.get("args", []), raw.get("kw", {})),
    "L": lambda raw: [_real(part) for part in raw["L"]],
    "slice": lambda raw: slice(*raw["slice"]),
    "ELL": lambda _: ...,
}


def _described(out: Any) -> Any:
    import torch

    if isinstance(out, torch.Tensor):
        return {"T": list(out.shape), "dtype": str(out.dtype).removeprefix("torch.")}
    if isinstance(out, (tuple, list)):
        return {"tuple": [_described(part) for part in out]}
    return None if out is None else {"scalar": str(out)}


def _state(module: torch.nn.Module) -> list[list[Any]]:
    """Name, shape and kind in the order of the state dict; then buffers that are not in it."""
    parameters = {name for name, _ in module.named_parameters(remove_duplicate=False)}
    state = module.state_dict()
    rows = [[name, list(x.shape), "p" if name in parameters else "b"] for name, x in state.items()]
    rows += [[name, list(x.shape), "n"] for name, x in _unsaved(module, set(state))]
    return rows


def _unsaved(module: torch.nn.Module, saved: set[str]) -> Iterator[tuple[str, torch.Tensor]]:
    return ((name, x) for name, x in module.named_buffers() if name not in saved)


if __name__ == "__main__":
    main()
