"""`netdraft layers`: the catalogue as the code has it."""

from __future__ import annotations

import json

import designer.layers  # noqa: F401
from designer.core.help import torch_link
from designer.core.layer import CATALOGUE
from tests.cli.command import netdraft


def test_every_layer_is_listed_with_its_options() -> None:
    done = netdraft("layers")
    assert done.returncode == 0
    listed = [line.strip().split(":")[0] for line in done.stdout.splitlines() if line[2:3] != " "]
    assert CATALOGUE.keys() <= set(listed)
    conv = done.stdout.split("  Conv2d:")[1].split("\n  Conv3d:")[0]
    assert "    stride = 1: " in conv
    assert "    padding_mode = zeros: " in conv


def test_words_choose_layers_by_synonym_too() -> None:
    done = netdraft("layers", "全连接", "--json")
    assert [layer["kind"] for layer in json.loads(done.stdout)] == ["Linear"]
    linear = json.loads(done.stdout)[0]
    assert linear["options"][1]["name"] == "out_features"
    assert linear["help"]
    assert (linear["torch"], linear["link"]) == ("torch.nn.Linear", torch_link("torch.nn.Linear"))


def test_nothing_found_is_told_by_the_exit_code() -> None:
    done = netdraft("layers", "no such layer")
    told = "No layer has the words no such layer.\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", told)
    as_data = netdraft("layers", "no such layer", "--json")
    assert (as_data.returncode, json.loads(as_data.stdout)) == (1, [])
