"""Compares an exported module with what its drawing says; run by a Python that has torch.

Reads one JSON object from standard input and writes one to standard output: for each case a list
of differences `[kind, name, expected, got]`. Nothing else is written there.
"""

import importlib
import json
import sys
from contextlib import redirect_stdout, suppress

import torch

SETTINGS = "torch.fx.experimental._config"
"""Where newer versions of PyTorch say what is assumed of tensors without numbers."""


def main() -> int:
    """Answer the request."""
    request = json.load(sys.stdin)
    torch.set_num_threads(1)
    # Without numbers nobody knows which tokens an expert gets: all of them then.
    with suppress(ImportError):
        importlib.import_module(SETTINGS).meta_nonzero_assume_all_nonzero = True
    with redirect_stdout(sys.stderr):
        found = answer(request)
    json.dump(found, sys.stdout)
    return 0


def answer(request):
    """The differences of all cases."""
    try:
        made = defined(request)
        cases = [checked(made, case) for case in request["cases"]]
    except Exception as error:  # noqa: BLE001 (whatever a file raises is a difference)
        cases = [[raised(error)] for _ in request["cases"]]
    return {"torch": torch.__version__, "cases": cases}


def defined(request):
    """The class that the file defines."""
    namespace = {"__name__": "exported"}
    exec(compile(request["source"], "<exported module>", "exec"), namespace)
    return namespace[request["class"]]


def raised(error):
    """An exception as a difference."""
    return ["raises", type(error).__name__, "", str(error).strip().split("\n")[0][:300]]


def checked(made, case):
    """The differences of one case; an exception of the module is one of them."""
    try:
        with torch.device(case["device"]):
            module = made_for(made, case).eval()
        found = [*state_differences(module, case), *identity_differences(module, case)]
        return found + output_differences(module, case)
    except Exception as error:  # noqa: BLE001 (whatever a module raises is a difference)
        return [raised(error)]


def made_for(made, case):
    """The module of a case: by its preset where it has one, else by the arguments."""
    preset = case.get("preset")
    return getattr(made, preset)() if preset else made(**case["arguments"])


def state_differences(module, case):
    """Keys, their order, shapes, dtypes, roles and what is trained."""
    state = module.state_dict()
    parameters = dict(module.named_parameters(remove_duplicate=False))
    expected = {tensor["key"]: tensor for tensor in case["tensors"]}
    if list(state) != list(expected):
        yield from key_differences(list(expected), list(state))
    for key in (key for key in expected if key in state):
        tensor, actual = expected[key], state[key]
        pairs = {
            "shape": (tensor["shape"], list(actual.shape)),
            "dtype": (tensor["dtype"], name_of(actual.dtype)),
            "parameter": (tensor["parameter"], key in parameters),
        }
        if key in parameters:
            pairs["trainable"] = (tensor["trainable"], parameters[key].requires_grad)
        for kind, (wanted, got) in pairs.items():
            if wanted != got:
                yield [kind, key, wanted, got]


def key_differences(expected, got):
    """Keys that are missing or too many, or else the first that is out of order."""
    missing = [key for key in expected if key not in set(got)]
    more = [key for key in got if key not in set(expected)]
    yield from (["missing", key, "", ""] for key in missing)
    yield from (["unexpected", key, "", ""] for key in more)
    if not missing and not more:
        place = next(place for place, key in enumerate(expected) if got[place] != key)
        yield ["order", expected[place], expected[place], got[place]]


def identity_differences(module, case):
    """Tied parameters are one tensor, others are not, and each is counted once."""
    parameters = dict(module.named_parameters(remove_duplicate=False))
    drawn, made = {}, {}
    for tensor in case["tensors"]:
        key = tensor["key"]
        if key in parameters:
            wanted = drawn.setdefault(tensor["owner"] or key, key)
            got = made.setdefault(id(parameters[key]), key)
            if wanted != got:
                yield ["tie", key, wanted, got]
    total = sum(parameter.numel() for parameter in module.parameters())
    if total != case["total"]:
        yield ["total", "", case["total"], total]


def output_differences(module, case):
    """Shapes and dtypes of what a forward pass returns."""
    inputs = [filled(given, case["device"]) for given in case["inputs"]]
    with torch.no_grad():
        returned = module(*inputs)
    outputs = returned if isinstance(returned, tuple) else (returned,)
    expected = case["outputs"]
    if len(outputs) != len(expected):
        return [["outputs", "", len(expected), len(outputs)]]
    found = []
    for place, wanted in enumerate(expected):
        got = outputs[place]
        if wanted["shape"] != list(got.shape):
            found.append(["output shape", wanted["name"], wanted["shape"], list(got.shape)])
        if wanted["dtype"] != name_of(got.dtype):
            found.append(["output dtype", wanted["name"], wanted["dtype"], name_of(got.dtype)])
    return found


def filled(given, device):
    """An input: random numbers, but zeros where they may be row numbers of a table."""
    dtype = getattr(torch, given["dtype"])
    if dtype.is_floating_point:
        return torch.rand(given["shape"], device=device).to(dtype)
    return torch.zeros(given["shape"], dtype=dtype, device=device)


def name_of(dtype):
    """`float32` for torch.float32."""
    return str(dtype).removeprefix("torch.")


if __name__ == "__main__":
    sys.exit(main())
