"""CLIP: texts and images as vectors that can be compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.gallery import design
from tests.gallery.llama import given
from tests.gallery.sketch import Sketch

if TYPE_CHECKING:
    from designer.core.graph import NodeId
    from designer.core.option import Raw

TEXT = {
    "d_text": (512, "width of the text's stream"),
    "text_heads": (8, "attention heads of the text"),
    "text_layers": (12, "layers of the text"),
    "vocab": (49408, "tokens in the vocabulary"),
    "n_ctx": (77, "longest text"),
}
IMAGE = {
    "d_image": (768, "width of the image's stream"),
    "image_heads": (12, "attention heads of the image"),
    "image_layers": (12, "layers of the image"),
    "patch": (32, "width and height of a patch"),
    "image_size": (224, "width and height of an image"),
}
DIVISORS = {"d_text": "text_heads", "d_image": "image_heads", "image_size": "patch"}
JOINT = (512, "size of what is compared")


def _declare(sketch: Sketch, table: dict[str, tuple[int, str]]) -> None:
    for name, (value, note) in table.items():
        divisors = [DIVISORS[name]] if name in DIVISORS else []
        sketch.variable(name, value, note, *divisors)


def _sizes(sketch: Sketch) -> None:
    sketch.variable("d_model", 512, "width of the residual stream", "n_heads")
    sketch.variable("n_heads", 8, "attention heads")


def _mlp(sketch: Sketch) -> None:
    with sketch.block("QuickMLP", "Two layers with x · σ(1.702 x) between them, close to GELU."):
        sketch.variable("d_model", 512, "width of the residual stream")
        x = sketch.input("x", "B", "T", "d_model")
        x = sketch.add("Linear", x, name="fc1", out_features="4*d_model")
        h = sketch.add("MultiplyScalar", x, name="scaled", value=1.702)
        h = sketch.add("Sigmoid", h, name="sigmoid")
        x = sketch.add("Multiply", x, h, name="quick_gelu")
        sketch.output(sketch.add("Linear", x, name="fc2", out_features="d_model"))


def _layer(sketch: Sketch, name: str, note: str, *, causal: bool) -> None:
    with sketch.block(name, note):
        _sizes(sketch)
        x = sketch.input("x", "B", "T", "d_model")
        h = sketch.add("LayerNorm", x, name="layer_norm1")
        heads: dict[str, Raw] = {"n_heads": "n_heads", "is_causal": causal}
        h = sketch.add("ProjectedAttention", h, name="self_attn", **heads)
        x = sketch.add("Add", x, h, name="add_1")
        h = sketch.add("LayerNorm", x, name="layer_norm2")
        h = sketch.use("QuickMLP", h, name="mlp", d_model="d_model")
        sketch.output(sketch.add("Add", x, h, name="add_2"))


def _text(sketch: Sketch) -> None:
    with sketch.block("TextModel", "Where the token of the greatest number is, the text ends."):
        _declare(sketch, TEXT)
        tokens = sketch.input("tokens", "N", "T", dtype="int64")
        size: dict[str, Raw] = {"num_embeddings": "vocab", "embedding_dim": "d_text"}
        words = sketch.add("Embedding", tokens, name="token_embedding", **size)
        size = {"max_len": "n_ctx", "embedding_dim": "d_text"}
        places = sketch.add("PositionEmbedding", tokens, name="position_embedding", **size)
        x = sketch.add("Add", words, places, name="add")
        layers: dict[str, Raw] = {"d_model": "d_text", "n_heads": "text_heads"}
        x = sketch.use("TextLayer", x, name="layers", copies="text_layers", **layers)
        x = sketch.add("LayerNorm", x, name="final_layer_norm")
        sketch.output(_at_the_end(sketch, x, tokens))


def _at_the_end(sketch: Sketch, x: NodeId, tokens: NodeId) -> NodeId:
    """What stands at the last token of each text: [N, T, D] to [N, D]."""
    end = sketch.add("Argmax", tokens, name="end", dim=1, keepdim=True)
    end = sketch.add("Unsqueeze", end, name="end_of_each", dim=2)
    x = sketch.add("TakeAlongDim", x, end, name="take", dim=1)
    return sketch.add("Select", x, name="pooled", dim=1, index=0)


def _image(sketch: Sketch) -> None:
    with sketch.block("VisionModel", "Patches as tokens, and one more that stands for the image."):
        _declare(sketch, IMAGE)
        pixels = sketch.input("pixels", "M", 3, "image_size", "image_size")
        cut: dict[str, Raw] = {"kernel_size": ("patch", "patch"), "stride": ("patch", "patch")}
        x = sketch.add(
            "Conv2d", pixels, name="patch_embedding", out_channels="d_image", bias=False, **cut
        )
        x = sketch.add("Flatten", x, name="flatten", start_dim=2)
        x = sketch.add("Transpose", x, name="patches_first", dim0=1, dim1=2)
        one = sketch.add("Parameter", name="class_embedding", shape=("d_image",))
        one = sketch.add("Expand", one, name="class_of_each", size=("M", 1, "d_image"))
        x = sketch.add("Concat", one, x, name="tokens", dim=1)
        places: dict[str, Raw] = {
            "max_len": "(image_size//patch)**2 + 1",
            "embedding_dim": "d_image",
        }
        places_of = sketch.add("PositionEmbedding", x, name="position_embedding", **places)
        x = sketch.add("Add", x, places_of, name="add")
        x = sketch.add("LayerNorm", x, name="pre_layrnorm")
        layers: dict[str, Raw] = {"d_model": "d_image", "n_heads": "image_heads"}
        x = sketch.use("VisionLayer", x, name="layers", copies="image_layers", **layers)
        x = sketch.add("Select", x, name="pooled", dim=1, index=0)
        sketch.output(sketch.add("LayerNorm", x, name="post_layernorm"))


def _projected(sketch: Sketch, x: NodeId, name: str, length: str) -> NodeId:
    """A vector of length 1 of the joint size."""
    options: dict[str, Raw] = {"out_features": "d_joint", "bias": False}
    x = sketch.add("Linear", x, name=name, **options)
    return sketch.add("Normalize", x, name=length, dim=-1)


@design("clip-vit-b-32")
def clip() -> Sketch:
    """CLIP with a ViT-B/32."""
    sketch = Sketch(
        "CLIP ViT-B/32",
        "Vision",
        "Texts and images become vectors of one size: those that belong together point one way.",
        "Radford et al. 2021, Learning Transferable Visual Models"
        " From Natural Language Supervision",
    )
    sketch.dimension("N", "texts", 2)
    sketch.dimension("M", "images", 2)
    sketch.dimension("T", "tokens", 77)
    sketch.dimension("B", "texts or images")
    for table in (TEXT, IMAGE):
        _declare(sketch, table)
    sketch.variable("d_joint", *JOINT)
    _mlp(sketch)
    _layer(sketch, "TextLayer", "Each token sees itself and those before it.", causal=True)
    _layer(sketch, "VisionLayer", "Each patch sees all others.", causal=False)
    _text(sketch)
    _image(sketch)
    tokens = sketch.input("tokens", "N", "T", dtype="int64")
    x = sketch.use("TextModel", tokens, name="text_model", **given(*TEXT))
    texts = _projected(sketch, x, "text_projection", "text_embeds")
    pixels = sketch.input("pixels", "M", 3, "image_size", "image_size")
    x = sketch.use("VisionModel", pixels, name="vision_model", **given(*IMAGE))
    images = _projected(sketch, x, "visual_projection", "image_embeds")
    turned = sketch.add("Transpose", images, name="turned", dim0=0, dim1=1)
    logits = sketch.add("MatMul", texts, turned, name="cosines")
    scale = sketch.add("Parameter", name="logit_scale", shape=())
    scale = sketch.add("Exp", scale, name="sharpness")
    logits = sketch.add("Multiply", logits, scale, name="logits")
    sketch.output(logits, "logits_per_text")
    return sketch
