"""Layers of other packages: offered, enabled by name, used, and left out where they fail."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from designer.core.document import Dimension, Document
from designer.core.expression import Expression
from designer.core.graph import Graph, Node, Source, Target
from tests.cli.command import netdraft, saved
from tests.packages import install, install_example

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

HEAD = """
from designer.core.layer import CATALOGUE, Layer, Result, layer
from designer.core.option import option
from designer.core.tensor import Tensor
from designer.core.code import call, Ref
"""
SAME = '''
@layer("{kind}", family="{family}")
class {kind}(Layer):
    """Gives back what it gets."""

    def infer(self, x: Tensor) -> Result:
        return Result((x,), code=call("torch.clone", Ref("x")))
'''


class Place:
    """A folder with installed packages and one with settings; commands that run with both."""

    def __init__(self, folder: Path) -> None:
        self.packages = folder / "site"
        self.packages.mkdir()
        self.config = folder / "config"
        self.touched = folder / "touched"

    @property
    def settings(self) -> Path:
        """The file of settings."""
        return self.config / "netdraft" / "settings.json"

    def run(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run `netdraft`; it must not fail in a way of its own."""
        done = netdraft(*arguments, PYTHONPATH=str(self.packages), XDG_CONFIG_HOME=str(self.config))
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def install(self, kind: str, module: str, name: str = "") -> None:
        """Install a package `odd-<kind>` with one layer."""
        plain = f"odd_{kind.lower()}"
        install(self.packages, name or plain, {kind: f"{plain}:{kind}"}, module)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture
def acme(place: Place) -> Place:
    """The README's package is installed; it leaves a file behind where it is imported."""
    mark = f"import pathlib\npathlib.Path({str(place.touched)!r}).touch()\nprint('hello')\n"
    install_example(place.packages, before=mark)
    return place


def low_rank() -> Document:
    """An input of 12 features into a LowRankLinear of rank 3 and width 5."""
    batch = Expression("B")
    options = (("rank", 3), ("out_features", 5))
    graph = (
        Graph()
        .with_node(1, Node("x", "x", "Input", (("shape", (batch, 12)), ("dtype", "float32"))))
        .with_node(2, Node("low", "low", "LowRankLinear", options))
        .with_node(3, Node("y", "y", "Output"))
        .with_edge(Target(2, "x"), Source(1, "out"))
        .with_edge(Target(3, "x"), Source(2, "out"))
    )
    return Document(graph=graph, dimensions={"B": Dimension("batch")})


def test_without_packages() -> None:
    done = netdraft("layers", "--packages")
    assert (done.returncode, done.stdout) == (0, "No installed package offers layers.\n")


def test_a_package_is_offered_and_not_imported(acme: Place, tmp_path: Path) -> None:
    done = acme.run("layers", "--packages")
    assert done.stdout == "acme-layers 1.0, not enabled: LowRankLinear\n"
    (listed,) = json.loads(acme.run("layers", "--packages", "--json").stdout)
    assert listed == {
        "name": "acme-layers",
        "version": "1.0",
        "enabled": False,
        "layers": ["LowRankLinear"],
    }
    assert acme.run("layers", "LowRank").returncode == 1
    file = saved(low_rank(), tmp_path)
    done = acme.run("count", file)
    wanted = "LowRankLinear is a layer of acme-layers: netdraft layers --enable acme-layers"
    assert done.stderr.splitlines() == [wanted, f"low: {wanted}"]
    assert done.returncode == 1
    assert not acme.touched.exists()
    assert not acme.settings.exists()


def test_an_enabled_package_is_counted_exported_and_compared(acme: Place, tmp_path: Path) -> None:
    done = acme.run("layers", "--enable", "Acme_Layers")
    assert (done.returncode, done.stdout) == (0, "acme-layers is enabled: LowRankLinear\n")
    assert json.loads(acme.settings.read_text()) == {"layer_packages": ["acme-layers"]}
    assert acme.touched.exists()
    (layer,) = json.loads(acme.run("layers", "lowrank", "--json").stdout)
    assert [option["name"] for option in layer["options"]] == [
        "in_features",
        "rank",
        "out_features",
    ]
    file = saved(low_rank(), tmp_path)
    assert f"parameters  {12 * 3 + 3 * 5 + 5}" in acme.run("count", file).stdout
    assert "class LowRankLinear(nn.Module):" in acme.run("export", file).stdout
    done = acme.run("check", "--torch", file)
    assert "The export matches the design" in done.stdout, done.stdout


def test_a_package_is_enabled_once_and_disabled(acme: Place) -> None:
    acme.run("layers", "--enable", "acme-layers")
    acme.run("layers", "--enable", "acme.layers")
    assert json.loads(acme.settings.read_text()) == {"layer_packages": ["acme-layers"]}
    assert "enabled: LowRankLinear" in acme.run("layers", "--packages").stdout
    assert acme.run("layers", "--disable", "ACME-layers").returncode == 0
    assert json.loads(acme.settings.read_text()) == {"layer_packages": []}
    acme.touched.unlink()
    assert acme.run("layers", "LowRank").returncode == 1
    assert not acme.touched.exists()
    done = acme.run("layers", "--disable", "acme-layers")
    assert (done.returncode, done.stderr) == (1, "acme-layers is not enabled.\n")


def test_one_that_is_gone_is_told_and_can_be_disabled(place: Place) -> None:
    done = place.run("layers", "--enable", "gone")
    assert (done.returncode, done.stderr) == (1, "No installed package gone offers layers.\n")
    assert not place.settings.exists()
    place.settings.parent.mkdir(parents=True)
    place.settings.write_text('{"layer_packages": ["gone"], "else": 1}')
    done = place.run("layers", "Linear")
    assert done.returncode == 0
    assert done.stderr == "gone is enabled, but no such package offers layers here.\n"
    assert place.run("layers", "--packages").stdout == "gone, enabled, not installed\n"
    assert place.run("layers", "--disable", "gone").returncode == 0
    assert json.loads(place.settings.read_text()) == {"layer_packages": [], "else": 1}


FAILING = {
    "Broken": ("1 / 0", "ZeroDivisionError: division by zero"),
    "Leaving": ("import sys; sys.exit('bye')", "SystemExit: bye"),
    "Absent": ("", "it has no layer Absent."),
    "Linear": (HEAD + SAME.format(kind="Linear", family="linear"), "a layer Linear already."),
    "Second": (
        HEAD + SAME.format(kind="ReLU", family="act") + SAME.format(kind="Second", family="act"),
        "TypeError: layer 'ReLU' exists already, or 'act' is no family",
    ),
    "Silent": (
        HEAD + SAME.format(kind="Silent", family="act") + SAME.format(kind="More", family="act"),
        "no entry point names its layer More.",
    ),
    "Thief": (
        HEAD + SAME.format(kind="Thief", family="act") + "\nCATALOGUE['ReLU'] = Thief\n",
        "it changes the layer ReLU.",
    ),
    "Foreign": (HEAD + SAME.format(kind="Foreign", family="nowhere"), "is no family"),
}


@pytest.mark.parametrize("kind", FAILING)
def test_a_package_that_fails_is_left_out_with_a_sentence(place: Place, kind: str) -> None:
    module, reason = FAILING[kind]
    # Where the attribute is missing, so is the layer: an entry point must lead somewhere.
    place.install(kind, module + ("\nAbsent = 1\n" if kind == "Absent" else ""))
    done = place.run("layers", "--enable", f"odd-{kind.lower()}")
    assert done.returncode == 1
    left_out = f"The layers of odd_{kind.lower()} are left out: "
    assert done.stderr.startswith(left_out)
    assert reason in done.stderr
    listed = place.run("layers", "--json")
    assert listed.returncode == 0
    assert listed.stderr.startswith(left_out)
    layers = {layer["kind"]: layer["help"] for layer in json.loads(listed.stdout)}
    assert len(layers) > 200
    assert not any("Gives back" in help for help in layers.values())
    assert place.run("count", "linear-regression").returncode == 0


def test_one_that_fails_does_not_stop_another(acme: Place) -> None:
    acme.install("Broken", "1 / 0")
    acme.run("layers", "--enable", "acme-layers")
    acme.run("layers", "--enable", "odd-broken")
    done = acme.run("layers", "LowRankLinear")
    assert done.returncode == 0
    assert "odd_broken are left out" in done.stderr


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "in the middle of the document"),
        ("[]", "must be an object"),
        ('{"layer_packages": "acme"}', "$.layer_packages: must be a list"),
        ('{"layer_packages": [1]}', "$.layer_packages[0]: must be a text"),
    ],
)
def test_settings_that_cannot_be_read_stop_nothing_and_are_kept(
    acme: Place, text: str, reason: str
) -> None:
    acme.settings.parent.mkdir(parents=True)
    acme.settings.write_text(text)
    done = acme.run("count", "linear-regression")
    assert done.returncode == 0
    assert str(acme.settings) in done.stderr
    assert reason in done.stderr
    done = acme.run("layers", "--enable", "acme-layers")
    assert (done.returncode, reason in done.stderr) == (2, True)
    assert acme.settings.read_text() == text


def test_one_of_these_at_a_time(place: Place) -> None:
    assert place.run("layers", "--packages", "--enable", "x").returncode == 2
