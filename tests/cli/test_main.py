"""The command itself: usage, refusals, old locales, closed outputs, and what it leaves unloaded."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.cli.command import netdraft, saved
from tests.core.drawing import Drawing

if TYPE_CHECKING:
    from pathlib import Path


def test_the_version() -> None:
    done = netdraft("--version")
    assert done.returncode == 0
    assert done.stdout == f"netdraft {importlib.metadata.version('netdraft')}\n"


def test_help() -> None:
    done = netdraft("--help")
    assert done.returncode == 0
    assert "{count,check,export} FILE" in done.stdout
    assert netdraft("count", "--help").returncode == 0


@pytest.mark.parametrize(
    "arguments", [("count",), ("--unknown",), ("count", "a", "b"), ("export", "a", "--torch")]
)
def test_wrong_usage(arguments: tuple[str, ...]) -> None:
    done = netdraft(*arguments)
    assert done.returncode == 2
    assert done.stderr.startswith("usage: netdraft")
    assert done.stdout == ""


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    broken = tmp_path / "broken.netdraft"
    broken.write_text('{"format": "netdraft", "version": 1,')
    missing = str(tmp_path / "none.netdraft")
    refused = [(command, missing) for command in ("count", "check", "export")]
    refused += [("count", file) for file in (str(tmp_path), str(broken), "no-such-example")]
    for command, file in refused:
        done = netdraft(command, file)
        assert done.returncode == 2
        assert done.stderr.startswith("netdraft: ")
        assert file in done.stderr
        assert "Traceback" not in done.stderr
        assert done.stdout == ""


def test_a_file_comes_before_an_example(tmp_path: Path) -> None:
    drawing = Drawing()
    drawing.add("Output", drawing.add("Linear", drawing.input("B", 4), out_features=4))
    saved(drawing.editor.document, tmp_path, "gpt2")
    done = netdraft("count", "gpt2", folder=tmp_path)
    assert "parameters  20\n" in done.stdout


def test_names_from_a_file_cannot_control_the_terminal(tmp_path: Path) -> None:
    drawing = Drawing()
    drawing.add("Linear", name="fc", out_features=4)
    document = drawing.editor.document
    path = saved(document, tmp_path)
    path.write_bytes(path.read_bytes().replace(b'"name": "fc"', b'"name": "\\u001b[2Jfc"'))
    done = netdraft("count", path)
    assert "\x1b" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    "environment", [{"LANG": "C", "LC_ALL": "C"}, {"PYTHONIOENCODING": "ascii"}]
)
def test_old_locales(environment: dict[str, str]) -> None:
    for arguments in (("count", "mlp-100"), ("check", "mlp-100"), ("export", "mlp-100")):
        done = netdraft(*arguments, folder=None, **environment)
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""


def test_a_reader_that_has_had_enough() -> None:
    command = f"{sys.executable} -m designer export gpt2 | head -n 1; exit $PIPESTATUS"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert done.stderr == ""
    assert done.stdout.count("\n") == 1


@pytest.mark.parametrize("arguments", ["count mlp-100", "export mlp-100", "check mlp-100 --json"])
def test_outputs_that_are_closed_or_full(arguments: str) -> None:
    command = f"{sys.executable} -m designer {arguments}"
    closed = subprocess.run(
        ["bash", "-c", f"{command} >&-"], capture_output=True, text=True, check=False
    )
    assert (closed.returncode, closed.stderr) == (0, "")
    full = subprocess.run(
        ["bash", "-c", f"{command} >/dev/full"], capture_output=True, text=True, check=False
    )
    assert full.returncode == 2
    assert full.stderr == "netdraft: the output could not be written: No space left on device.\n"


def test_counting_loads_neither_qt_nor_torch() -> None:
    script = (
        "import sys; from designer.cli.main import main; main(['count', 'cifar10-cnn']);"
        "loaded = {name.partition('.')[0] for name in sys.modules};"
        "sys.exit(' '.join(loaded & {'PySide6', 'torch', 'numpy', 'pygments'}))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert done.stderr.decode().strip() == ""
