"""The networks of images and sequences are the real ones, tensor for tensor, number for number."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from designer.core import count, size
from designer.core.analysis import Analysis
from tests import facts
from tests.gallery.test_language import design, drawn, parameters, shape_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

REAL = {
    "five-convolutions": "cnn5_plain",
    "cifar10-cnn": "cifar10_cnn_torch",
    "lenet-5": "lenet5_modern",
    "alexnet": "alexnet",
    "vgg-16": "vgg16",
    "resnet-18": "resnet18",
    "resnet-50": "resnet50",
    "googlenet": "googlenet",
    "inception-v3": "inception_v3_noaux",
    "densenet-121": "densenet121",
    "mobilenet-v2": "mobilenet_v2",
    "efficientnet-b0": "efficientnet_b0",
    "convnext-t": "convnext_tiny",
    "unet": "unet_milesial",
    "vit-b-16": "vit_b_16",
    "swin-t": "swin_t",
    "stable-diffusion-unet": "sd15_unet",
}
"""Of each design the model that it is."""


@pytest.mark.parametrize("name", REAL)
def test_a_design_is_the_real_network_tensor_for_tensor(name: str) -> None:
    real = facts.model(REAL[name])
    analysis = Analysis(design(name))
    assert parameters(analysis.document) == Counter(row.shape for row in facts.state(REAL[name]))
    assert analysis.totals().parameters == real["totals"]["params"]
    assert analysis.totals().buffers == real["totals"]["buffers"]
    flops = sum((f.result.flops for f in analysis.findings.values() if f.result), start=0)
    assert size.value(size.substitute(flops, {"B": 1})) == real["forward"][0]["flops"]


# Formulas of the families, written down apart from the designs


def classified(width: int, classes: int) -> int:
    """A linear layer."""
    return (width + 1) * classes


def normed(kernel: int, before: int, after: int) -> int:
    """A convolution without a bias and a norm with two numbers a channel."""
    return kernel * before * after + 2 * after


def five_convolutions(classes: int, **channels: int) -> int:
    chain = (3, *channels.values())
    pairs = itertools.pairwise(chain)
    return sum((9 * a + 1) * b for a, b in pairs) + classified(chain[-1], classes)


def lenet(classes: int) -> int:
    return 26 * 6 + (25 * 6 + 1) * 16 + (25 * 16 + 1) * 120 + 121 * 84 + classified(84, classes)


def alexnet(classes: int) -> int:
    kernels = ((121, 3, 64), (25, 64, 192), (9, 192, 384), (9, 384, 256), (9, 256, 256))
    convolutions = sum((k * a + 1) * b for k, a, b in kernels)
    return convolutions + 9217 * 4096 + 4097 * 4096 + classified(4096, classes)


def vgg(classes: int) -> int:
    chain = (3, 64, 64, 128, 128, *[256] * 3, *[512] * 6)
    convolutions = sum((9 * a + 1) * b for a, b in itertools.pairwise(chain))
    return convolutions + 25_089 * 4096 + 4097 * 4096 + classified(4096, classes)


def resnet_basic(n1: int, n2: int, n3: int, n4: int, classes: int) -> int:
    total, before = normed(49, 3, 64), 64
    for blocks, width in ((n1, 64), (n2, 128), (n3, 256), (n4, 512)):
        first = normed(9, before, width) + normed(9, width, width)
        total += first + (0 if before == width else normed(1, before, width))
        total += (blocks - 1) * 2 * normed(9, width, width)
        before = width
    return total + classified(512, classes)


def resnet_bottleneck(n1: int, n2: int, n3: int, n4: int, classes: int) -> int:
    total, before = normed(49, 3, 64), 64
    for blocks, width in ((n1, 64), (n2, 128), (n3, 256), (n4, 512)):
        total += normed(1, before, 4 * width)
        for _ in range(blocks):
            total += (
                normed(1, before, width) + normed(9, width, width) + normed(1, width, 4 * width)
            )
            before = 4 * width
    return total + classified(2048, classes)


def googlenet(classes: int) -> int:
    """The published total with another head."""
    return 6_624_904 - classified(1024, 1000) + classified(1024, classes)


def inception_v3(classes: int) -> int:
    """The published total with another head."""
    return 23_834_568 - classified(2048, 1000) + classified(2048, classes)


def densenet(growth: int, classes: int) -> int:
    width = 2 * growth
    total = normed(49, 3, width)
    for layers in (6, 12, 24, 16):
        for _ in range(layers):
            total += 2 * width + 4 * width * growth + 8 * growth + 36 * growth * growth
            width += growth
        total += 2 * width
        if layers != 16:
            total += width * (width // 2)
            width //= 2
    return total + classified(width, classes)


MOBILE = ((24, 2, 3), (32, 3, 3), (64, 4, 3), (96, 3, 3), (160, 3, 3), (320, 1, 3))
EFFICIENT = ((24, 2, 3), (40, 2, 5), (80, 3, 3), (112, 3, 5), (192, 4, 5), (320, 1, 3))


def inverted(
    stages: tuple[tuple[int, int, int], ...], expand: int, classes: int, *, squeezed: bool
) -> int:
    """Channels, blocks and filters of each stage behind the first."""

    def block(before: int, after: int, wide: int, kernel: int) -> int:
        widened = normed(1, before, wide) if wide != before else 0
        few = before // 4
        weighed = (wide + 1) * few + (few + 1) * wide if squeezed else 0
        return widened + normed(kernel * kernel, 1, wide) + weighed + normed(1, wide, after)

    total, before = normed(9, 3, 32) + block(32, 16, 32, 3), 16
    for width, blocks, kernel in stages:
        for _ in range(blocks):
            total += block(before, width, expand * before, kernel)
            before = width
    return total + normed(1, 320, 1280) + classified(1280, classes)


def mobilenet(expand: int, classes: int) -> int:
    return inverted(MOBILE, expand, classes, squeezed=False)


def efficientnet(expand: int, classes: int) -> int:
    return inverted(EFFICIENT, expand, classes, squeezed=True)


def convnext(width: int, n1: int, n2: int, n3: int, n4: int, classes: int) -> int:
    total = (48 + 1) * width + 2 * width
    for place, blocks in enumerate((n1, n2, n3, n4)):
        if place:
            total += 2 * width + (4 * width + 1) * 2 * width
            width *= 2
        total += blocks * (50 * width + 2 * width + 8 * width * width + 5 * width + width)
    return total + 2 * width + classified(width, classes)


def unet(width: int, classes: int) -> int:
    def double(before: int, after: int) -> int:
        return normed(9, before, after) + normed(9, after, after)

    widths = [width, 2 * width, 4 * width, 8 * width, 16 * width]
    pairs = list(itertools.pairwise(widths))
    down = double(3, width) + sum(double(a, b) for a, b in pairs)
    up = sum((4 * b + 1) * a + double(2 * a, a) for a, b in pairs)
    return down + up + classified(width, classes)


def encoder(width: int, hidden: int) -> int:
    """A block of a transformer encoder."""
    attention = 4 * width * width + 4 * width
    return attention + 2 * width * hidden + width + hidden + 4 * width


def vit(
    image_size: int, patch: int, d_model: int, n_layers: int, d_mlp: int, classes: int, **_: int
) -> int:
    patches = (image_size // patch) ** 2
    total = (3 * patch * patch + 1) * d_model + (1 + patches + 1) * d_model
    total += n_layers * encoder(d_model, d_mlp) + 2 * d_model
    return total + classified(d_model, classes)


def swin(width: int, n_heads: int, window: int, classes: int, **pairs: int) -> int:
    total = (48 + 1) * width + 2 * width
    for place in range(4):
        if place:
            total += 8 * width + 8 * width * width
            width, n_heads = 2 * width, 2 * n_heads
        table = (2 * window - 1) ** 2 * n_heads
        total += 2 * pairs[f"pairs{place + 1}"] * (encoder(width, 4 * width) + table)
    return total + 2 * width + classified(width, classes)


def diffusion(width: int, **_others: int) -> int:
    """The U-Net of Stable Diffusion with other channels; the time has four times as many."""

    def resnet(before: int, after: int, time: int) -> int:
        total = 2 * before + (9 * before + 1) * after + (time + 1) * after
        total += 2 * after + (9 * after + 1) * after
        return total + (0 if before == after else (before + 1) * after)

    def transformer(c: int) -> int:
        own, other = 4 * c * c + c, 2 * c * c + 2 * 768 * c + c
        mlp = (c + 1) * 8 * c + (4 * c + 1) * c
        return 2 * c + 2 * (c + 1) * c + 6 * c + own + other + mlp

    time = 4 * width
    total = (width + 1) * time + (time + 1) * time + (36 + 1) * width
    skips, before = [width], width
    for place, factor in enumerate((1, 2, 4, 4)):
        c = factor * width
        for _ in range(2):
            total += resnet(before, c, time) + (transformer(c) if place < 3 else 0)
            before = c
            skips.append(c)
        if place < 3:
            total += (9 * c + 1) * c
            skips.append(c)
    total += 2 * resnet(before, before, time) + transformer(before)
    for place, factor in enumerate((4, 4, 2, 1)):
        c = factor * width
        for _ in range(3):
            total += resnet(before + skips.pop(), c, time) + (transformer(c) if place else 0)
            before = c
        total += (9 * c + 1) * c if place < 3 else 0
    return total + 2 * width + (9 * width + 1) * 4


def recurrent(gates: int, width: int, hidden: int, directions: int = 1, layers: int = 2) -> int:
    """Layers of an RNN, LSTM or GRU with PyTorch's two biases."""
    total = 0
    for _ in range(layers):
        total += directions * gates * hidden * (width + hidden + 2)
        width = directions * hidden
    return total


def language_model(gates: int) -> Callable[..., int]:
    """The total of a language model by its vocabulary and widths."""

    def count(vocab: int, d_embed: int, hidden: int) -> int:
        return vocab * d_embed + recurrent(gates, d_embed, hidden) + classified(hidden, vocab)

    return count


def bilstm(vocab: int, d_embed: int, hidden: int) -> int:
    return vocab * d_embed + recurrent(4, d_embed, hidden, 2) + classified(2 * hidden, 1)


def seq2seq(vocab_in: int, vocab_out: int, d_embed: int, hidden: int) -> int:
    lstm = recurrent(4, d_embed, hidden, layers=4)
    return (vocab_in + vocab_out) * d_embed + 2 * lstm + classified(hidden, vocab_out)


def transformer(d_model: int, d_ff: int, n_layers: int, vocab: int, **_: Any) -> int:
    attention = 4 * d_model * (d_model + 1)
    mlp = 2 * d_model * d_ff + d_model + d_ff
    return vocab * d_model + n_layers * (3 * attention + 2 * mlp + 10 * d_model)


FORMULAS: dict[str, Callable[..., int]] = {
    "five-convolutions": five_convolutions,
    "lenet-5": lenet,
    "alexnet": alexnet,
    "vgg-16": vgg,
    "resnet-18": resnet_basic,
    "resnet-50": resnet_bottleneck,
    "googlenet": googlenet,
    "inception-v3": inception_v3,
    "densenet-121": densenet,
    "mobilenet-v2": mobilenet,
    "efficientnet-b0": efficientnet,
    "convnext-t": convnext,
    "unet": unet,
    "vit-b-16": vit,
    "swin-t": swin,
    "stable-diffusion-unet": diffusion,
    "elman-rnn": language_model(1),
    "lstm-language-model": language_model(4),
    "gru-language-model": language_model(3),
    "bilstm-classifier": bilstm,
    "seq2seq": seq2seq,
    "transformer-2017": transformer,
}
"""Of each design its total, as a function of its variables."""


def valued(name: str) -> dict[str, Any]:
    """The variables of a design with their values."""
    return {key: variable.value for key, variable in design(name).variables.items()}


@pytest.mark.parametrize("name", FORMULAS)
def test_the_formula_counts_the_design_at_every_preset(name: str) -> None:
    document = design(name)
    assert Analysis(document).totals().parameters == FORMULAS[name](**valued(name))
    for preset, values in document.presets.items():
        expected = FORMULAS[name](**{**valued(name), **values})
        assert Analysis(drawn(name, preset)).totals().parameters == expected, preset


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("five-convolutions", {"c1": 48, "c5": 300}),
        ("five-convolutions", {"c3": 17, "classes": 100}),
        *((name, {"classes": 10}) for name in ("lenet-5", "alexnet", "vgg-16", "googlenet")),
        *((name, {"classes": 37}) for name in ("lenet-5", "alexnet", "vgg-16", "googlenet")),
        *(("inception-v3", {"classes": classes}) for classes in (5, 21)),
        ("resnet-18", {"n1": 1, "n3": 5}),
        ("resnet-18", {"n4": 7, "classes": 12}),
        ("resnet-50", {"n1": 2, "n4": 6}),
        ("resnet-50", {"n2": 11, "classes": 3}),
        ("densenet-121", {"growth": 48}),
        ("densenet-121", {"growth": 12, "classes": 10}),
        ("mobilenet-v2", {"expand": 4}),
        ("mobilenet-v2", {"expand": 3, "classes": 20}),
        ("efficientnet-b0", {"expand": 4}),
        ("efficientnet-b0", {"expand": 2, "classes": 20}),
        ("convnext-t", {"width": 40, "n1": 5}),
        ("convnext-t", {"n4": 4, "classes": 7}),
        ("unet", {"width": 48}),
        ("unet", {"width": 20, "classes": 21}),
        ("vit-b-16", {"image_size": 384, "n_layers": 7}),
        ("vit-b-16", {"patch": 8, "d_model": 192, "n_heads": 3, "d_mlp": 500}),
        ("swin-t", {"width": 64, "n_heads": 4, "window": 8}),
        ("swin-t", {"pairs1": 2, "pairs4": 3, "classes": 9}),
        ("stable-diffusion-unet", {"width": 192, "n_heads": 6}),
        ("stable-diffusion-unet", {"width": 64, "n_heads": 1}),
        *(
            (f"{kind}-language-model", changed)
            for kind in ("lstm", "gru")
            for changed in ({"vocab": 77, "hidden": 31}, {"d_embed": 5})
        ),
        ("elman-rnn", {"vocab": 77, "hidden": 31}),
        ("elman-rnn", {"d_embed": 5}),
        ("bilstm-classifier", {"vocab": 77, "hidden": 31}),
        ("bilstm-classifier", {"d_embed": 5}),
        ("seq2seq", {"vocab_in": 77, "hidden": 31}),
        ("seq2seq", {"vocab_out": 78, "d_embed": 5}),
        ("transformer-2017", {"d_model": 96, "n_heads": 6}),
        ("transformer-2017", {"n_layers": 3, "d_ff": 100, "vocab": 10}),
    ],
)
def test_a_design_follows_its_variables(name: str, changed: Mapping[str, Any]) -> None:
    analysis = Analysis(drawn(name, **changed))
    assert [str(p.message) for p in analysis.problems() if p.severity != "hint"] == []
    assert analysis.totals().parameters == FORMULAS[name](**{**valued(name), **changed})


@pytest.mark.parametrize(
    ("name", "preset", "published"),
    [
        ("resnet-18", "ResNet-34", 21_797_672),
        ("resnet-50", "ResNet-101", 44_549_160),
        ("resnet-50", "ResNet-152", 60_192_808),
        ("convnext-t", "ConvNeXt-S", 50_223_688),
        ("convnext-t", "ConvNeXt-B", 88_591_464),
        ("convnext-t", "ConvNeXt-L", 197_767_336),
        ("vit-b-16", "ViT-B/32", 88_224_232),
        ("vit-b-16", "ViT-L/16", 304_326_632),
        ("vit-b-16", "ViT-L/32", 306_535_400),
        ("swin-t", "Swin-S", 49_606_258),
        ("swin-t", "Swin-B", 87_768_224),
    ],
)
def test_siblings_have_as_many_parameters_as_published(
    name: str, preset: str, published: int
) -> None:
    assert Analysis(drawn(name, preset)).totals().parameters == published


# Networks that are recorded in part


def test_the_recurrent_layers_of_the_classifier_are_the_real_ones() -> None:
    rows = count.rows(Analysis(design("bilstm-classifier")))
    found = [(row.key, shape_of(row)) for row in rows if row.key.startswith("rnn.")]
    assert found == [(f"rnn.{row.name}", row.shape) for row in facts.state("lstm_2l_bi")]


def test_the_transformer_is_torch_s_without_the_last_norms() -> None:
    rows = [row for row in facts.state("transformer_base_nn") if row.name.count(".norm.") == 0]
    layers = Counter(row.shape for row in rows)
    assert parameters(design("transformer-2017")) == layers + Counter([(37_000, 512)])
