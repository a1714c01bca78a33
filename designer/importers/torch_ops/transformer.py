"""Stacks of transformer layers, which PyTorch makes of a module."""

from __future__ import annotations

from typing import TYPE_CHECKING

from designer.core.message import message
from designer.importers.torch_ops.binding import BadCall, ModuleCall
from designer.importers.torch_ops.signature import IGNORED
from designer.importers.torch_ops.table import found, operation, received, same

if TYPE_CHECKING:
    from designer.importers.torch_ops.binding import Bound, Call


same(
    "Transformer",
    "nn.Transformer(d_model=512, nhead=8, num_encoder_layers=6, num_decoder_layers=6,"
    " dim_feedforward=2048, dropout=0.1, activation='relu', custom_encoder: only = None,"
    " custom_decoder: only = None, layer_norm_eps=1e-05, batch_first=False, norm_first=False,"
    " bias=True, device: _ = None, dtype: _ = None)",
)


@operation(
    "nn.TransformerEncoder(encoder_layer, num_layers, norm=None, enable_nested_tensor=True,"
    " mask_check=True)",
    "nn.TransformerDecoder(decoder_layer, num_layers, norm=None)",
)
def stack(call: Call) -> Bound:
    """A stack with the options of its layer; the norm behind it must be one of its width."""
    kind = call.op.removeprefix("nn.")
    inner = next(iter(call.values.values()))
    if not isinstance(inner, ModuleCall) or inner.op != f"nn.{kind}Layer":
        raise call.unmapped("{op} is made of {inner}.", inner=inner)
    inputs, named = received(call, kind)
    options = {**_options(call, inner), "num_layers": call["num_layers"], **named}
    options |= _norm(call, options)
    if "enable_nested_tensor" in call.values:
        options["enable_nested_tensor"] = call["enable_nested_tensor"]
    return call.to(kind, inputs, options)


def _options(call: Call, inner: ModuleCall) -> dict[str, object]:
    """The arguments that made a module, as options of its kind. Raises BadCall, Unmapped."""
    known = found(inner.op)
    if known is None:
        raise call.unmapped("No layer does what {inner} does.", inner=inner.op)
    try:
        given = known.signature.bind(*inner.args, **inner.kwargs)
    except TypeError as error:
        reason = message("{op}: {reason}.", op=inner.op, reason=str(error))
        raise BadCall(reason, early=True) from None
    given.apply_defaults()
    places = known.signature.parameters
    return {
        name: one for name, one in given.arguments.items() if places[name].annotation != IGNORED
    }


def _norm(call: Call, options: dict[str, object]) -> dict[str, object]:
    norm = call["norm"]
    if norm is None:
        return {"norm": False}
    if not isinstance(norm, ModuleCall) or norm.op != "nn.LayerNorm":
        raise call.unmapped("{op} ends with {norm}.", norm=norm)
    given = _options(call, norm)
    alike = (
        given["normalized_shape"] in (options["d_model"], (options["d_model"],))
        and given["eps"] == options["layer_norm_eps"]
        and given["elementwise_affine"]
    )
    if not alike:
        raise call.unmapped("{op} ends with a norm unlike its layers'.")
    return {"norm": True, "norm_bias": given["bias"]}
