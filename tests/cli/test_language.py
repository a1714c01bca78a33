"""What the command says in Chinese, and where it is told to."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from designer.cli.saying import columns
from designer.core.help import torch_link
from tests.cli.command import netdraft, saved
from tests.core.drawing import Drawing, cifar10

if TYPE_CHECKING:
    from pathlib import Path

CHINESE = ("--language", "zh_CN")


@pytest.mark.parametrize(
    "arguments", [(*CHINESE, "layers", "Linear"), ("layers", "Linear", *CHINESE)]
)
def test_layers_explain_themselves_in_chinese(arguments: tuple[str, ...]) -> None:
    lines = netdraft(*arguments).stdout.splitlines()
    assert lines[:4] == [
        "线性 (2)",
        "  Linear：最后一个轴的仿射变换：y = x Aᵀ + b。",
        f"    PyTorch：torch.nn.Linear，{torch_link('torch.nn.Linear')}",
        "    in_features = （空）：输入最后一个轴的大小；为空时自动推断。（至少 1）",
    ]


def test_the_environment_says_the_language_and_titles_are_searched_in_it() -> None:
    arguments = ("layers", "因果自注意", "--json")
    done = netdraft(*arguments, NETDRAFT_LANGUAGE="", LC_ALL="zh_CN.UTF-8")
    found = json.loads(done.stdout)
    assert [layer["title"] for layer in found] == ["因果自注意力"]
    assert found[0]["options"][0]["help"].endswith("。")


def test_problems_are_told_in_chinese(tmp_path: Path) -> None:
    drawing = Drawing()
    cifar10(drawing, flatten=False, in_features=512)
    path = saved(drawing.editor.document, tmp_path)
    sentence = "fc1：Linear 的输入应为 [..., 512]，实际为 [B, 128, 2, 2]。"
    assert netdraft("check", path, *CHINESE).stdout == f"错误：{sentence}\n"
    assert netdraft("export", path, *CHINESE).stderr == f"{sentence}\n"


def test_the_columns_of_a_table_stay_in_line() -> None:
    lines = netdraft("count", "cifar10-cnn", *CHINESE).stdout.splitlines()
    table = lines[: lines.index("")]
    ends = [columns(line[: line.rindex("%") + 1]) for line in table if line.endswith("%")]
    assert set(ends) == {columns(table[0])}
    assert "参数    160,202 = 896 + 18,496 + 73,856 + 65,664 + 1,290" in lines


def test_a_file_is_refused_and_usage_explained_in_chinese() -> None:
    done = netdraft("count", "no-such-file", *CHINESE)
    assert done.returncode == 2
    assert done.stderr == "netdraft: no-such-file：未读取：文件或其所在的文件夹不存在。\n"
    assert "列出设计中的问题" in netdraft("--help", *CHINESE).stdout


def test_a_language_that_there_is_not() -> None:
    done = netdraft("check", "linear-regression", "--language", "xx")
    assert (done.returncode, done.stdout) == (0, "No problems.\n")
    assert done.stderr == "There is no language xx, only en, zh_CN.\n"
    unknown = netdraft("check", "linear-regression", NETDRAFT_LANGUAGE="xx")
    assert (unknown.stdout, unknown.stderr) == ("No problems.\n", "")


def test_a_language_without_a_command_is_no_use() -> None:
    assert netdraft(*CHINESE).returncode == 2
    assert netdraft("count", "gpt2", "--language").returncode == 2
