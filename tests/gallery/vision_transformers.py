"""Transformers that read an image as a sequence of patches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.gallery import design
from tests.gallery.pieces import heads_apart, heads_together
from tests.gallery.sketch import Sketch

if TYPE_CHECKING:
    from designer.core.graph import NodeId
    from designer.core.option import Raw

EPS = 1e-6


def mlp(sketch: Sketch, x: NodeId, hidden: Raw, out: Raw, eps: float) -> NodeId:
    """Draw the second half of a block: norm, two linear layers, and the input added."""
    h = sketch.add("LayerNorm", x, name="ln_2", eps=eps)
    h = sketch.add("Linear", h, name="fc1", in_features=out, out_features=hidden)
    h = sketch.add("GELU", h, name="gelu")
    h = sketch.add("Linear", h, name="fc2", in_features=hidden, out_features=out)
    return sketch.add("Add", x, h, name="add_2")


@design("vit-b-16")
def vit() -> Sketch:
    """The Vision Transformer in its five sizes."""
    sketch = Sketch(
        "ViT-B/16",
        "Vision",
        "An image is worth 16 × 16 words: patches become tokens, and a plain encoder reads them.",
        "Dosovitskiy et al. 2020, An Image is Worth 16x16 Words; torchvision vit_b_16",
    )
    sketch.dimension("B", "batch")
    sketch.variable("image_size", 224, "width and height of the image", "patch")
    sketch.variable("patch", 16, "width and height of a patch")
    sketch.variable("d_model", 768, "width of the residual stream", "n_heads")
    sketch.variable("n_heads", 12, "attention heads")
    sketch.variable("n_layers", 12, "blocks")
    sketch.variable("d_mlp", 3072, "width within the MLPs")
    sketch.variable("classes", 1000, "classes")
    self_attention(sketch)
    encoder_block(sketch)
    image = sketch.input("image", "B", 3, "image_size", "image_size")
    size = {"out_channels": "d_model", "kernel_size": "patch", "stride": "patch"}
    x = sketch.add("Conv2d", image, name="conv_proj", **size)
    x = sketch.add("Flatten", x, name="patches", start_dim=2)
    x = sketch.add("Transpose", x, name="tokens", dim0=1, dim1=2)
    token = sketch.add("Parameter", name="class_token", shape=(1, 1, "d_model"))
    token = sketch.add("Expand", token, name="for_each", size=("B", -1, -1))
    x = sketch.add("Concat", token, x, name="join", dim=1)
    length = "(image_size // patch)**2 + 1"
    places = sketch.add("Parameter", name="pos_embedding", shape=(1, length, "d_model"))
    x = sketch.add("Add", x, places, name="add")
    given = {name: name for name in ("d_model", "n_heads", "d_mlp")}
    x = sketch.use("ViTBlock", x, name="layers", copies="n_layers", **given)
    x = sketch.add("LayerNorm", x, name="ln", eps=EPS)
    x = sketch.add("Select", x, name="class_only", dim=1, index=0)
    sketch.output(sketch.add("Linear", x, name="head", out_features="classes"), "logits")
    sizes = {
        "ViT-B/16": (16, 768, 12, 12),
        "ViT-B/32": (32, 768, 12, 12),
        "ViT-L/16": (16, 1024, 16, 24),
        "ViT-L/32": (32, 1024, 16, 24),
        "ViT-H/14": (14, 1280, 16, 32),
    }
    for name, (patch, width, heads, layers) in sizes.items():
        wide = {"d_model": width, "n_heads": heads, "n_layers": layers, "d_mlp": 4 * width}
        sketch.preset(name, patch=patch, **wide)
    return sketch


def self_attention(sketch: Sketch) -> None:
    """Draw attention from its linear layers and its axes."""
    with sketch.block("SelfAttention", "Each token asks all tokens: y = softmax(q kᵀ / √d) v."):
        sketch.variable("d_model", 768, "width of the residual stream", "n_heads")
        sketch.variable("n_heads", 12, "attention heads")
        x = sketch.input("x", "B", 197, "d_model")
        x = sketch.add("Linear", x, name="in_proj", out_features="3*d_model")
        x = sketch.add("Split", x, name="qkv", chunks=3, dim=-1)
        thirds = zip("qkv", sketch.ports(x), strict=True)
        q, k, v = (heads_apart(sketch, (x, port), name, "n_heads") for name, port in thirds)
        x = sketch.add("ScaledDotProductAttention", q, k, v, name="sdpa")
        x = heads_together(sketch, x)
        sketch.output(sketch.add("Linear", x, name="out_proj", out_features="d_model"))


def encoder_block(sketch: Sketch) -> None:
    """Draw a block of the encoder: attention, then an MLP."""
    note = "Attention and an MLP, each behind a norm and added to what came in."
    with sketch.block("ViTBlock", note):
        sketch.variable("d_model", 768, "width of the residual stream", "n_heads")
        sketch.variable("n_heads", 12, "attention heads")
        sketch.variable("d_mlp", 3072, "width within the MLP")
        x = sketch.input("x", "B", 197, "d_model")
        h = sketch.add("LayerNorm", x, name="ln_1", eps=EPS)
        given = {"d_model": "d_model", "n_heads": "n_heads"}
        h = sketch.use("SelfAttention", h, name="self_attention", **given)
        x = sketch.add("Add", x, h, name="add_1")
        sketch.output(mlp(sketch, x, "d_mlp", "d_model", EPS))


@design("swin-t")
def swin() -> Sketch:
    """Swin in three sizes."""
    sketch = Sketch(
        "Swin-T",
        "Vision",
        "Attention inside windows that every second block moves, so that all pixels come to meet.",
        "Liu et al. 2021, Swin Transformer: Hierarchical Vision Transformer; torchvision swin_t",
    )
    sketch.dimension("B", "batch")
    sketch.variable("width", 96, "channels of stage 1; doubled from stage to stage", "n_heads")
    sketch.variable("n_heads", 3, "heads of stage 1; doubled from stage to stage")
    sketch.variable("window", 7, "width and height of a window")
    for place, pairs in enumerate((1, 1, 3, 1), 1):
        sketch.variable(f"pairs{place}", pairs, f"pairs of blocks in stage {place}")
    sketch.variable("classes", 1000, "classes")
    swin_block(sketch)
    swin_pair(sketch)
    x = sketch.input("image", "B", 3, 224, 224)
    x = sketch.add("Conv2d", x, name="patches", out_channels="width", kernel_size=4, stride=4)
    x = sketch.add("Permute", x, name="channels_last", dims=(0, 2, 3, 1))
    x = sketch.add("LayerNorm", x, name="patch_norm")
    for place in range(1, 5):
        if place > 1:
            x = sketch.add("PatchMerging", x, name=f"merge{place}")
        factor = "" if place == 1 else f"{2 ** (place - 1)}*"
        given = {"width": f"{factor}width", "n_heads": f"{factor}n_heads", "window": "window"}
        x = sketch.use("Pair", x, name=f"stage{place}", copies=f"pairs{place}", **given)
    x = sketch.add("LayerNorm", x, name="norm")
    x = sketch.add("Permute", x, name="channels_first", dims=(0, 3, 1, 2))
    x = sketch.add("AdaptiveAvgPool2d", x, name="avgpool", output_size=1)
    x = sketch.add("Flatten", x, name="flatten")
    sketch.output(sketch.add("Linear", x, name="head", out_features="classes"), "logits")
    for name, width, heads, pairs in (("T", 96, 3, 3), ("S", 96, 3, 9), ("B", 128, 4, 9)):
        sketch.preset(f"Swin-{name}", width=width, n_heads=heads, pairs3=pairs)
    return sketch


def swin_arguments(sketch: Sketch) -> NodeId:
    """Declare what blocks and pairs have, and their input."""
    sketch.variable("width", 96, "channels", "n_heads")
    sketch.variable("n_heads", 3, "attention heads")
    sketch.variable("window", 7, "width and height of a window")
    return sketch.input("x", "B", 56, 56, "width")


def swin_block(sketch: Sketch) -> None:
    """Draw a block: attention in windows, then an MLP."""
    note = "Attention inside windows and an MLP, each behind a norm and added to what came in."
    with sketch.block("WindowBlock", note):
        x = swin_arguments(sketch)
        sketch.variable("shift", 0, "how far windows are moved")
        h = sketch.add("LayerNorm", x, name="ln_1")
        size = {"n_heads": "n_heads", "window": "window", "shift": "shift"}
        h = sketch.add("WindowAttention", h, name="attn", **size)
        x = sketch.add("Add", x, h, name="add_1")
        sketch.output(mlp(sketch, x, "4*width", "width", 1e-5))


def swin_pair(sketch: Sketch) -> None:
    """Draw two blocks, the second with its windows moved by half a window."""
    note = "Two blocks: the windows of the second lie across the borders of the first one's."
    with sketch.block("Pair", note):
        x = swin_arguments(sketch)
        given = {"width": "width", "n_heads": "n_heads", "window": "window"}
        x = sketch.use("WindowBlock", x, name="still", **given)
        shifted = {"shift": "window // 2", **given}
        sketch.output(sketch.use("WindowBlock", x, name="moved", **shifted))
