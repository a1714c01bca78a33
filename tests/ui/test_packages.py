"""The window with layers of other packages: in the palette where enabled, told of where not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.packages import install, install_example

if TYPE_CHECKING:
    from pathlib import Path

START = """
import json
from PySide6.QtWidgets import QApplication
from designer.ui import app

told, apps = [], []

class Kept(app.App):
    def __init__(self, *arguments):
        super().__init__(*arguments)
        apps.append(self)

def run(*_):
    for _ in range(20):
        QApplication.processEvents()
    palette = apps[0].palette
    palette.search.setText("low rank linear")
    QApplication.processEvents()
    print(json.dumps([[row.kind for row in palette.found], told]))
    return 0

app.App, QApplication.exec = Kept, run
app.filing.tell = lambda window, title, text: told.append(text)
app.main()
"""


def test_enabled_layers_are_in_the_palette_and_failures_are_told(tmp_path: Path) -> None:
    install_example(tmp_path / "site")
    install(tmp_path / "site", "broken", {"Broken": "broken:Broken"}, "1 / 0")
    settings = tmp_path / "config" / "netdraft" / "settings.json"
    settings.parent.mkdir(parents=True)
    settings.write_text('{"layer_packages": ["broken", "acme-layers"]}')
    done = subprocess.run(
        [sys.executable, "-c", START],
        env={
            **os.environ,
            "PYTHONPATH": str(tmp_path / "site"),
            "XDG_CONFIG_HOME": str(tmp_path / "config"),
            "XDG_STATE_HOME": str(tmp_path / "state"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found, told = json.loads(done.stdout)
    assert "LowRankLinear" in found
    assert told == ["The layers of broken are left out: ZeroDivisionError: division by zero"]
