"""Networks that read a sequence step by step, and keep what they need in a state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.gallery import design
from tests.gallery.sketch import Sketch

if TYPE_CHECKING:
    from designer.core.graph import NodeId
    from designer.core.option import Raw
    from tests.gallery.sketch import Port


def embedded(sketch: Sketch, tokens: NodeId, vocab: str, width: str, name: str) -> NodeId:
    """Add the vectors of tokens."""
    size = {"num_embeddings": vocab, "embedding_dim": width}
    return sketch.add("Embedding", tokens, name=name, **size)


def language_model(sketch: Sketch, kind: str, width: int, **options: Raw) -> None:
    """Draw embedding, two recurrent layers and a head that says which token comes next."""
    sketch.dimension("B", "batch")
    sketch.dimension("T", "tokens", 35)
    sketch.variable("vocab", 10_000, "tokens in the vocabulary")
    sketch.variable("d_embed", width, "size of a token's vector")
    sketch.variable("hidden", width, "size of the state")
    tokens = sketch.input("tokens", "B", "T", dtype="int64")
    x = embedded(sketch, tokens, "vocab", "d_embed", "encoder")
    x = sketch.add("Dropout", x, name="drop_in")
    size = {"hidden_size": "hidden", "num_layers": 2, "batch_first": True, "dropout": 0.5}
    x = sketch.add(kind, x, name="rnn", **size, **options)
    x = sketch.add("Dropout", x, name="drop_out")
    sketch.output(sketch.add("Linear", x, name="decoder", out_features="vocab"), "logits")


@design("elman-rnn")
def elman() -> Sketch:
    """The plain recurrent layer."""
    sketch = Sketch(
        "Elman RNN",
        "Sequence",
        "The state is a function of the token and of the state before it: memory by recurrence.",
        "Elman 1990, Finding Structure in Time; sizes of pytorch/examples word_language_model",
    )
    language_model(sketch, "RNN", 200, nonlinearity="tanh")
    return sketch


@design("lstm-language-model")
def lstm() -> Sketch:
    """The LSTM language model in its three sizes."""
    sketch = Sketch(
        "LSTM language model",
        "Sequence",
        "Gates decide what the cell forgets, takes in and tells, so that gradients last.",
        "Zaremba et al. 2014, Recurrent Neural Network Regularization, with PyTorch's two biases",
    )
    language_model(sketch, "LSTM", 650)
    for name, width in (("small", 200), ("medium", 650), ("large", 1500)):
        sketch.preset(name, d_embed=width, hidden=width)
    return sketch


@design("gru-language-model")
def gru() -> Sketch:
    """The same with gated recurrent units."""
    sketch = Sketch(
        "GRU language model",
        "Sequence",
        "Two gates in place of an LSTM's three, and no cell: a quarter fewer recurrent weights.",
        "Cho et al. 2014, Learning Phrase Representations; sizes of Zaremba et al. 2014",
    )
    language_model(sketch, "GRU", 650)
    for name, width in (("small", 200), ("medium", 650), ("large", 1500)):
        sketch.preset(name, d_embed=width, hidden=width)
    return sketch


@design("bilstm-classifier")
def classifier() -> Sketch:
    """A bidirectional LSTM that tells good reviews from bad ones."""
    sketch = Sketch(
        "Bidirectional LSTM classifier",
        "Sequence",
        "Two LSTMs read the text from both ends; their last states together are its summary.",
        "Graves and Schmidhuber 2005, Framewise Phoneme Classification; sizes usual for IMDB",
    )
    sketch.dimension("B", "batch")
    sketch.dimension("T", "tokens", 200)
    sketch.variable("vocab", 25_002, "tokens in the vocabulary")
    sketch.variable("d_embed", 100, "size of a token's vector")
    sketch.variable("hidden", 256, "size of the state of each direction")
    tokens = sketch.input("tokens", "B", "T", dtype="int64")
    x = embedded(sketch, tokens, "vocab", "d_embed", "embedding")
    x = sketch.add("Dropout", x, name="drop_in")
    size = {"hidden_size": "hidden", "num_layers": 2, "batch_first": True, "dropout": 0.5}
    rnn = sketch.add("LSTM", x, name="rnn", bidirectional=True, **size)
    forward = sketch.add("Select", (rnn, "h_n"), name="forwards", dim=0, index=-2)
    backward = sketch.add("Select", (rnn, "h_n"), name="backwards", dim=0, index=-1)
    x = sketch.add("Concat", forward, backward, name="join", dim=1)
    x = sketch.add("Dropout", x, name="drop_out")
    sketch.output(sketch.add("Linear", x, name="fc", out_features=1), "score")
    return sketch


@design("seq2seq")
def seq2seq() -> Sketch:
    """Translation through one state."""
    sketch = Sketch(
        "Sequence to sequence",
        "Sequence",
        "One LSTM reads a sentence into its state, another writes the translation out of it.",
        "Sutskever et al. 2014, Sequence to Sequence Learning: 384M, with PyTorch's two biases",
    )
    sketch.dimension("B", "batch")
    sketch.dimension("S", "tokens of the source", 30)
    sketch.dimension("T", "tokens of the target", 30)
    sketch.variable("vocab_in", 160_000, "words of the source language")
    sketch.variable("vocab_out", 80_000, "words of the target language")
    sketch.variable("d_embed", 1000, "size of a word's vector")
    sketch.variable("hidden", 1000, "size of the state of each layer")
    size = {"hidden_size": "hidden", "num_layers": 4, "batch_first": True}
    source = sketch.input("source", "B", "S", dtype="int64")
    x = embedded(sketch, source, "vocab_in", "d_embed", "source_embedding")
    encoder = sketch.add("LSTM", x, name="encoder", **size)
    target = sketch.input("target", "B", "T", dtype="int64")
    x = embedded(sketch, target, "vocab_out", "d_embed", "target_embedding")
    states: tuple[Port, Port] = ((encoder, "h_n"), (encoder, "c_n"))
    x = sketch.add("LSTM", x, *states, name="decoder", **size)
    sketch.output(sketch.add("Linear", x, name="fc", out_features="vocab_out"), "logits")
    return sketch
