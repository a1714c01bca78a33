"""A screen of its own: Xvfb with openbox, and xdotool as its mouse and keyboard."""

from __future__ import annotations

import os
import select
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

TOOLS = {"Xvfb": "xvfb", "openbox": "openbox", "xdotool": "xdotool"}
"""Programs and the Debian packages that bring them."""

STARTED_WITHIN = 20
"""Seconds in which the X server has to be ready."""

# One window without a frame that fills the screen; dialogs keep theirs.
_OPENBOX = """<?xml version="1.0"?>
<openbox_config xmlns="http://openbox.org/3.4/rc">
  <focus><focusNew>yes</focusNew><followMouse>no</followMouse></focus>
  <placement><policy>Smart</policy><center>yes</center></placement>
  <keyboard/>
  <mouse>
    <context name="Client">
      <mousebind button="Left" action="Press">
        <action name="Focus"/><action name="Raise"/>
      </mousebind>
    </context>
  </mouse>
  <applications>
    <application type="normal">
      <decor>no</decor><maximized>yes</maximized><focus>yes</focus>
    </application>
  </applications>
</openbox_config>
"""


def missing_tools() -> str:
    """What is not installed and how to get it; empty where nothing is missing."""
    packages = [package for tool, package in TOOLS.items() if shutil.which(tool) is None]
    if not packages:
        return ""
    command = f"sudo apt-get install {' '.join(packages)}"
    return f"This needs {', '.join(packages)}: run `{command}`, then start it again."


@contextmanager
def own_display(width: int, height: int) -> Iterator[str]:
    """The name of a new display of that size with a window manager; both end with the block."""
    reading, writing = os.pipe()
    screen = ["-screen", "0", f"{width}x{height}x24", "-nolisten", "tcp", "-noreset"]
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writing), *screen],
        pass_fds=(writing,),
        stderr=subprocess.DEVNULL,
    )
    os.close(writing)
    try:
        display = f":{_number(reading)}"
        with _window_manager(display):
            yield display
    finally:
        os.close(reading)
        _end(server)


def _number(pipe: int) -> int:
    """The display number that the X server has found free."""
    ready, _, _ = select.select([pipe], [], [], STARTED_WITHIN)
    text = os.read(pipe, 16) if ready else b""
    if not text.strip():
        raise RuntimeError("Xvfb did not start.")
    return int(text)


@contextmanager
def _window_manager(display: str) -> Iterator[None]:
    with TemporaryDirectory() as folder:
        config = Path(folder) / "rc.xml"
        config.write_text(_OPENBOX, encoding="utf-8")
        started = ["openbox", "--config-file", str(config), "--sm-disable"]
        manager = subprocess.Popen(
            started, env={**os.environ, "DISPLAY": display}, stderr=subprocess.DEVNULL
        )
        try:
            yield
        finally:
            _end(manager)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def xdotool(*words: object) -> None:
    """Run one xdotool command on the display of this process."""
    subprocess.run(["xdotool", *map(str, words)], check=True)
