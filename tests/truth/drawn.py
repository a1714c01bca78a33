"""Calls of PyTorch drawn anew: recorded ones, changed at random.

A recorded call is resized as a whole, or one thing in it is changed: an axis, a rank, a dtype, an
argument, how it is passed. What comes out is often accepted and often refused, for reasons that
nobody thought of. The same seed and operation draw the same calls, whatever others are drawn.
"""

from __future__ import annotations

import copy
import json
import re
from dataclasses import dataclass
from inspect import Parameter
from math import prod
from random import Random
from typing import TYPE_CHECKING, Any

from designer.importers.torch_ops.signature import IGNORED
from designer.importers.torch_ops.table import found

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

Raw = dict[str, Any]

PLACES = ("args", "kw", "in", "inkw")
ASKED = ("op", *PLACES, "mode")
"""What makes a call; the rest of a record is the answer."""

DTYPES = (
    *("float32", "float64", "float16", "bfloat16"),
    *("int64", "int32", "int16", "int8", "uint8", "bool"),
    *("complex64", "complex128"),
)

MARKS = ("M", "L", "slice", "ELL")
"""Keys that say what an object of JSON stands for."""

LARGEST_TENSOR = 20_000
LARGEST_NUMBER = 64
HIGHEST_RANK = 7
NAMED = (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)


@dataclass(frozen=True, slots=True)
class Slot:
    """A value in a call, and the list or dictionary that holds it."""

    holder: Any
    key: Any

    @property
    def value(self) -> Any:
        return self.holder[self.key]

    def put(self, value: Any) -> None:
        self.holder[self.key] = value


def draws(records: Sequence[Raw], seed: object, count: int) -> list[Raw]:
    """`count` different calls of one operation, or fewer where so many are hard to find.

    `records` are recorded calls of that operation.
    """
    known = [_asked(record) for record in records if record.get("device") != "meta"]
    if not known:
        return []
    random = Random(f"{seed}/{known[0]['op']}")
    calls: dict[str, Raw] = {}
    for _ in range(8 * count):
        if len(calls) == count:
            break
        call = _changed(random, known)
        if _small(call) and not _beyond(call):
            calls.setdefault(json.dumps(call, sort_keys=True), call)
    return [
        {"id": f"{call['op']}/{seed}/{place}", **call} for place, call in enumerate(calls.values())
    ]


def _asked(record: Raw) -> Raw:
    return {name: record[name] for name in ASKED if name in record}


def _changed(random: Random, known: Sequence[Raw]) -> Raw:
    call = copy.deepcopy(random.choice(known))
    if random.random() < 0.7:
        resize(random, call, known)
    for _ in range(random.choices((0, 1, 2, 3), (3, 5, 2, 1))[0]):
        random.choices(*_WEIGHTED)[0](random, call, known)
    return call


def _small(call: Raw) -> bool:
    tensors = [slot.value["T"] for slot in _tensors(call)]
    numbers = [slot.value for slot in _values(call) if _is_int(slot.value)]
    return (
        all(len(shape) <= HIGHEST_RANK and prod(shape) <= LARGEST_TENSOR for shape in tensors)
        and all(abs(number) <= LARGEST_NUMBER for number in numbers)
        and all(_legal_order(slot.value) for slot in _tensors(call))
    )


def _beyond(call: Raw) -> bool:
    """Whether PyTorch takes or refuses it for want of a check that the catalogue has.

    A norm may be made for channels that it does not use, windows may be empty or turn back, fused
    attention does not look how long value is, and of a tensor without elements, nothing need be
    right.
    """
    op, tensors = call["op"], [slot.value for slot in _tensors(call)]
    numbers = [*call.get("args", []), *call.get("kw", {}).values()]
    counts = [*call.get("args", []), call.get("kw", {}).get("num_features", 1)]
    unused = _UNUSED.match(op) and not all(_is_int(one) and one > 0 for one in counts)
    windows = _WINDOWS.match(op) and any(_lowest(one) < 1 for one in numbers)
    turned = "Conv" in op and any(_lowest(one) < 0 for one in numbers)
    unspaced = "ConvTranspose" in op and _lowest(call.get("kw", {}).get("dilation", 1)) < 1
    empty = any(0 in x["T"] for x in tensors) and (
        _CAREFREE.search(op) is not None or any("dtype" in x for x in tensors)
    )
    halves = _FLOAT32.search(op) and any(x.get("dtype", "float32") != "float32" for x in tensors)
    lengths = {tuple(x["T"][-2:-1]) for x in tensors[1:3]}
    narrow = any(x["T"][-1:] == [1] for x in tensors) or len(lengths) > 1
    fused = "scaled_dot" in op and narrow
    grouped = "LazyConvTranspose" in op and "groups" in call.get("kw", {})
    named = op == "torch.scatter" and not _is_tensor(call.get("inkw", {}).get("src", {"T": []}))
    reasons = (unused, windows, turned, unspaced, empty, halves, named, grouped, fused)
    return any(map(bool, reasons))


_UNUSED = re.compile(r"nn\.(BatchNorm|InstanceNorm|SyncBatchNorm|PReLU)")
_WINDOWS = re.compile(
    r"nn\.(CrossMapLRN2d|MaxUnpool|FractionalMaxPool|Transformer|GroupNorm|\w+Cell$)"
)
_CAREFREE = re.compile(
    r"Lazy|Norm|Transformer|MaxUnpool|tile|repeat|scaled_dot_product|MultiMarginLoss|nn\.Conv"
)
_FLOAT32 = re.compile(r"Transformer|einsum|[cC]ross_?[eE]ntropy")


def _lowest(value: Any) -> float:
    """The lowest whole number in an argument."""
    if isinstance(value, dict):
        return min(map(_lowest, value.values()), default=1)
    if isinstance(value, list):
        return min(map(_lowest, value), default=1)
    return value if _is_int(value) else 1


def _legal_order(tensor: Raw) -> bool:
    return "perm" not in tensor or len(tensor["perm"]) == len(tensor["T"])


# Looking through a call


def _keys(holder: Any) -> list[Any]:
    return list(holder) if isinstance(holder, dict) else list(range(len(holder)))


def _slots(holder: Any) -> Iterator[Slot]:
    for key in _keys(holder):
        yield Slot(holder, key)
        if isinstance(holder[key], (list, dict)) and not _is_tensor(holder[key]):
            yield from _slots(holder[key])


def _of(call: Raw, *places: str) -> list[Slot]:
    return [slot for place in places if place in call for slot in _slots(call[place])]


def _tensors(call: Raw) -> list[Slot]:
    return [slot for slot in _of(call, *PLACES) if _is_tensor(slot.value)]


def _values(call: Raw) -> list[Slot]:
    """What is neither a tensor nor part of one, nor a mark."""
    slots = _of(call, *PLACES)
    return [slot for slot in slots if not _is_tensor(slot.value) and slot.key not in MARKS]


def _is_tensor(value: Any) -> bool:
    return isinstance(value, dict) and "T" in value


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _pick(random: Random, slots: Sequence[Slot]) -> Slot | None:
    return random.choice(slots) if slots else None


# Changes


def resize(random: Random, call: Raw, _: Sequence[Raw]) -> None:
    """Other sizes throughout, equal where they were equal, in tensors and mostly in numbers."""
    sizes = {axis for slot in _tensors(call) for axis in slot.value["T"] if axis > 1}
    others = {size: _other(random, size) for size in sorted(sizes)}
    for slot in _tensors(call):
        slot.value["T"] = [others.get(axis, axis) for axis in slot.value["T"]]
    if random.random() < 0.8:
        for slot in _values(call):
            if _is_int(slot.value):
                slot.put(others.get(slot.value, slot.value))


def _other(random: Random, size: int) -> int:
    near = (size, size * 2, size * 3, size + 1, max(1, size - 1), random.randint(1, 13))
    return random.choices(near, (6, 3, 1, 2, 2, 4))[0]


def change_axis(random: Random, call: Raw, _: Sequence[Raw]) -> None:
    """One axis of one tensor."""
    slot = _pick(random, [slot for slot in _tensors(call) if slot.value["T"]])
    if slot is not None:
        place = random.randrange(len(slot.value["T"]))
        size = slot.value["T"][place]
        slot.value["T"][place] = random.choice((0, 1, 1, 2, size + 1, max(0, size - 1), size * 2))


def change_rank(random: Random, call: Raw, _: Sequence[Raw]) -> None:
    """An axis more or less in front or behind, of one tensor or of all; or a scalar."""
    slots = _tensors(call)
    if slots and random.random() < 0.5:
        slots = [random.choice(slots)]
    change = random.choices(
        (
            lambda shape: [1, *shape],
            lambda shape: [2, *shape],
            lambda shape: shape[1:],
            lambda shape: shape[:-1],
            lambda shape: [*shape, 3],
            lambda _: [],
        ),
        (3, 3, 4, 1, 1, 1),
    )[0]
    for slot in slots:
        slot.value.pop("perm", None)
        slot.value["T"] = change(slot.value["T"])


def change_dtype(random: Random, call: Raw, _: Sequence[Raw]) -> None:
    """The dtype of one tensor or of all."""
    slots = _tensors(call)
    if slots and random.random() < 0.5:
        slots = [random.choice(slots)]
    dtype = random.choice(DTYPES)
    for slot in slots:
        slot.value["dtype"] = dtype


def change_number(random: Random, call: Raw, _: Sequence[Raw]) -> None:
    """One number or flag among the arguments."""
    slot = _pick(random, [one for one in _values(call) if isinstance(one.value, (int, float))])
    if slot is None:
        return
    if isinstance(slot.value, bool):
        slot.put(not slot.value)
    elif isinstance(slot.value, int):
        near = (0, 1, -1, -2, slot.value + 1, slot.value - 1, -slot.value, 2 * slot.value, 30)
        slot.put(random.choice(near))
    else:
        slot.put(random.choice((0.0, 1.0, 2, -0.5, 1.5, 2.75, 0.1, slot.value / 2)))


def change_count(random: Random, call: Raw, _: Sequence[Raw]) -> None:
    """A number becomes a tuple or list of numbers, or these become fewer, more or one."""
    slots = [one for one in _values(call) if _is_int(one.value) or _are_ints(one.value)]
    slot = _pick(random, slots)
    if slot is None:
        return
    listed = not call["op"].startswith("nn.")
    if _is_int(slot.value):
        several = [slot.value] * random.choice((1, 1, 2, 2, 3, 4))
        slot.put({"L": several} if listed and random.random() < 0.5 else several)
    else:
        few = slot.value
        longer = random.choice(((2,), few[-1:], few))
        changed = random.choice((few[0], few[:-1] or few, [*few, *longer], few[::-1]))
        slot.put({"L": few} if listed and random.random() < 0.2 else changed)


def _are_ints(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_is_int, value))


def change_word(random: Random, call: Raw, known: Sequence[Raw]) -> None:
    """A word becomes another one that such calls have, or one that none has."""
    slot = _pick(random, [one for one in _values(call) if isinstance(one.value, str)])
    if slot is not None:
        words = [one.value for other in known for one in _values(other)]
        slot.put(random.choice([*(word for word in words if isinstance(word, str)), "other"]))


def leave_out(random: Random, call: Raw, _: Sequence[Raw]) -> None:
    """One argument fewer, by name or the last of those without."""
    place = random.choice([place for place in PLACES if call.get(place)] or ["mode"])
    if place in ("kw", "inkw"):
        del call[place][random.choice(sorted(call[place]))]
    elif place == "args" or (place == "in" and len(call["in"]) > 2 and call["op"][:3] != "nn."):
        call[place].pop()


def cross(random: Random, call: Raw, known: Sequence[Raw]) -> None:
    """An argument by name that another call of this operation has."""
    other = copy.deepcopy(random.choice(known))
    place = random.choice(("kw", "inkw"))
    if other.get(place):
        name = random.choice(sorted(other[place]))
        call.setdefault(place, {})[name] = other[place][name]


def name_arguments(random: Random, call: Raw, _: Sequence[Raw]) -> None:
    """The last arguments by name instead of by position."""
    by_place, by_name = _passed(call)
    names, given = _names(call["op"]), call.get(by_place, [])
    first = names.count("")
    if first < len(given) <= len(names):
        kept = random.randrange(first, len(given))
        named = dict(zip(names[kept:], given[kept:], strict=False))
        call[by_place] = given[:kept]
        call[by_name] = {**call.get(by_name, {}), **named}


def place_arguments(random: Random, call: Raw, _: Sequence[Raw]) -> None:
    """Arguments by name that come next become arguments by position."""
    by_place, by_name = _passed(call)
    given = call.setdefault(by_place, [])
    for name in _names(call["op"])[len(given) :]:
        if name not in call.get(by_name, {}):
            break
        given.append(call[by_name].pop(name))


def add_argument(random: Random, call: Raw, _: Sequence[Raw]) -> None:
    """A value for an argument that has none, of the type of its default."""
    by_name = _passed(call)[1]
    given = call.get(by_name, {})
    usual = {name: default for name, default in _defaults(call["op"]) if name not in given}
    if usual:
        name = random.choice(list(usual))
        call.setdefault(by_name, {})[name] = random.choice(_LIKELY[type(usual[name])])


_LIKELY = {
    bool: (True, False),
    int: (0, 1, -1, 2, 3),
    float: (0.5, 2.0, 1.0, 0.0, 2),
}


def _defaults(op: str) -> Iterator[tuple[str, object]]:
    """The flags and numbers among the arguments of an operation."""
    known = found(op)
    for one in () if known is None else known.signature.parameters.values():
        if type(one.default) in _LIKELY and one.name[0] != "_" and one.annotation != IGNORED:
            yield one.name, one.default


def _passed(call: Raw) -> tuple[str, str]:
    """Where arguments are by position, and where by name."""
    return ("args", "kw") if call["op"].startswith("nn.") else ("in", "inkw")


def _names(op: str) -> list[str]:
    """The arguments in order, "" for one that has no name to be passed by."""
    known = found(op)
    parameters = [] if known is None else known.signature.parameters.values()
    names = [one.name if one.kind in NAMED else "" for one in parameters if one.name[0] != "_"]
    return ["", *names[1:]] if op.startswith("Tensor.") else names


CHANGES: Mapping[Callable[[Random, Raw, Sequence[Raw]], None], int] = {
    resize: 4,
    change_axis: 6,
    change_rank: 5,
    change_dtype: 4,
    change_number: 6,
    change_count: 3,
    change_word: 1,
    leave_out: 1,
    cross: 4,
    name_arguments: 2,
    place_arguments: 1,
    add_argument: 2,
}
"""How a call can be changed, and how often it is."""

_WEIGHTED = (list(CHANGES), list(CHANGES.values()))
