'''Operations of PyTorch and their arguments, as layers of the catalogue.

`bind(op, args, kwargs, inputs, inkw)` gives the layer that does what a call does, as a `Bound`:
kind, raw options, and tensors by input port. `Unmapped` where no layer does it.

How an operation gets in
------------------------
A module `nn.X` needs nothing where a kind X exists whose options have the names and the order of
PyTorch's arguments (`not_torch` left out); `inplace`, `device` and `dtype` may follow. It is
called with tensors by port, in order, or by name; names of options work too (`output_size=`).
`nn.LazyX` is X without its first argument, which becomes None.

A function is entered in the module of its family, by its signature written as text:

    same("Softmax", "F.softmax(input, dim=None, _stacklevel: _ = 3, dtype: only = None)")

Each parameter goes to the port or option of its name, or of its annotation, where it has one:
`start: begin` goes to `begin`. The annotation `_` is for an argument that changes nothing in a
drawing, `only` for one whose default alone is mapped. `input`, `self`, `tensor` and `tensors` are
the first port, `other` is the second. A default is always applied, so that the function's may
differ from the option's. `*shape` takes `f(2, 3)` and `f((2, 3))`. A method `Tensor.m` is
`torch.m`, unless it has an entry of its own. Options that the call always sets are keywords:

    same("Mean", "torch.mean(input, dim=None, keepdim=False)", ...)

What a signature cannot say, a function does:

    @operation("torch.chunk(input, chunks, dim=0)")
    def chunk(call: Call) -> Bound:
        """As many parts as the axis gives."""
        ...
        return call.to("Split", {"x": call.tensor("input")}, {"chunks": parts, "dim": call["dim"]})

`call[name]` is an argument; `call.tensor(name)`, `tensors`, `ranked`, `whole` and `axis` check it
first. Where one call needs several layers, an input may be what `call.to` gave for another. For a
module, `received(call, kind)` gives what it is called with, by port and by option. A tensor that
is the layer's own parameter (`weight` of `F.linear`) goes into `held`; the options are then made
from its shape. Where PyTorch refuses arguments of such a type, raise `call.bad(...)`; where the
layers cannot express the call, `call.unmapped(...)`. What depends on shapes is the layer's own
rule and is not said again here.

A new family's module is added to the import below. `python -m tests.truth FILE --op REGEX` shows
what agrees with PyTorch, `--show N` where it does not.
'''

from __future__ import annotations

from designer.importers.torch_ops import (
    act,
    arith,
    attn,
    conv,
    distance,
    embed,
    index,
    linear,
    loss,
    math,
    merge,
    norm,
    picking,
    pool,
    reduce,
    reg,
    resize,
    shape,
    source,
    transformer,
)
from designer.importers.torch_ops.binding import (
    BadCall,
    Bound,
    Call,
    CallError,
    ModuleCall,
    Unmapped,
)
from designer.importers.torch_ops.table import OPERATIONS, bind, operation, same, supported

__all__ = [
    "OPERATIONS",
    "BadCall",
    "Bound",
    "Call",
    "CallError",
    "ModuleCall",
    "Unmapped",
    "act",
    "arith",
    "attn",
    "bind",
    "conv",
    "distance",
    "embed",
    "index",
    "linear",
    "loss",
    "math",
    "merge",
    "norm",
    "operation",
    "picking",
    "pool",
    "reduce",
    "reg",
    "resize",
    "same",
    "shape",
    "source",
    "supported",
    "transformer",
]
