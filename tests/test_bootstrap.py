"""The set-up script: what it decides, and the sentences that it stops with."""

from __future__ import annotations

import ast
import importlib.util
import shutil
import subprocess
import sys
import tomllib
import venv
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from packaging.requirements import Requirement

if TYPE_CHECKING:
    from types import ModuleType

ROOT = Path(__file__).resolve().parent.parent
SCRIPT = ROOT / "packaging" / "bootstrap.py"
ON_LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux libraries")


@pytest.fixture
def bootstrap(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A fresh import of the script, which is part of no package."""
    spec = importlib.util.spec_from_file_location("bootstrap", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # NamedTuple looks its own module up.
    monkeypatch.setitem(sys.modules, "bootstrap", module)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def project(bootstrap: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small project for the script to work on, whose environment holds no packages."""
    locks = {}
    for command in ("run", "test"):
        locks[command] = tmp_path / f"{command}.lock"
        locks[command].write_text(f"{command}==1.0\n", encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text("[project]\n", encoding="utf-8")
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    monkeypatch.setattr(bootstrap, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(bootstrap, "LOCKS", locks)
    venv.create(tmp_path / ".venv", with_pip=False, symlinks=sys.platform != "win32")
    return tmp_path


# Versions


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("3.11.2", (3, 11)),
        (" 3.13.0\n", (3, 13)),
        ("3.12.1.final.0", (3, 12)),
        ("3", None),
        ("", None),
        ("3.x", None),
    ],
)
def test_parse_version(bootstrap: ModuleType, text: str, version: tuple[int, int] | None) -> None:
    assert bootstrap.parse_version(text) == version


@pytest.mark.parametrize("key", ["version", "version_info"])
def test_venv_version_is_read_without_running_it(
    bootstrap: ModuleType, tmp_path: Path, key: str
) -> None:
    text = f"home = /usr/bin\n{key} = 3.12.4\n"
    (tmp_path / "pyvenv.cfg").write_text(text, encoding="utf-8")
    assert bootstrap.venv_version(tmp_path) == (3, 12)


def test_a_folder_that_is_no_environment_has_no_version(
    bootstrap: ModuleType, tmp_path: Path
) -> None:
    assert bootstrap.venv_version(tmp_path) is None
    (tmp_path / "pyvenv.cfg").write_text("home = /usr/bin\n", encoding="utf-8")
    assert bootstrap.venv_version(tmp_path) is None


def test_the_running_python_is_found(bootstrap: ModuleType) -> None:
    assert bootstrap.python_version(bootstrap.find_python()) == sys.version_info[:2]


def test_no_supported_python_stops_with_the_versions(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap, "SUPPORTED", ((2, 1), (2, 2)))
    with pytest.raises(bootstrap.SetupError, match=r"needs Python 2\.1 to 2\.2, and this is 3\."):
        bootstrap.find_python()


def test_supported_versions_are_those_of_the_project(bootstrap: ModuleType) -> None:
    requires = Requirement(f"netdraft{project_table()['requires-python']}").specifier
    for minor in range(8, 16):
        assert ((3, minor) in bootstrap.SUPPORTED) == requires.contains(f"3.{minor}.1"), minor


def test_an_old_python_can_read_the_script() -> None:
    assert ast.parse(SCRIPT.read_text(encoding="utf-8"), feature_version=(3, 8)).body


@pytest.mark.parametrize(
    ("system", "machine", "glibc"),
    [
        ("linux", "x86_64", "2.36"),
        ("linux", "x86_64", "2.34"),
        ("linux", "aarch64", "2.41"),
        ("darwin", "arm64", ""),
        ("win32", "AMD64", ""),
    ],
)
def test_a_system_that_qt_has_packages_for(
    bootstrap: ModuleType, system: str, machine: str, glibc: str
) -> None:
    bootstrap.check_system(system, machine, glibc)


@pytest.mark.parametrize(
    ("machine", "glibc", "sentence"),
    [
        ("x86_64", "2.31", r"needs glibc 2\.34 or newer, and this system has 2\.31"),
        ("x86_64", "", r"needs glibc 2\.34 or newer, and this system has none"),
        ("aarch64", "2.36", r"needs glibc 2\.39 or newer"),
        ("riscv64", "2.41", r"no packages for Linux on riscv64, only on x86_64 and aarch64"),
    ],
)
def test_a_system_that_qt_has_no_packages_for(
    bootstrap: ModuleType, machine: str, glibc: str, sentence: str
) -> None:
    with pytest.raises(bootstrap.SetupError, match=sentence):
        bootstrap.check_system("linux", machine, glibc)


# The environment


def test_an_environment_without_stamp_is_not_ready(bootstrap: ModuleType, project: Path) -> None:
    assert not bootstrap.is_ready(project / ".venv", "run")


def test_a_run_environment_lacks_what_tests_need(bootstrap: ModuleType, project: Path) -> None:
    bootstrap.write_stamp(project / ".venv", "run")
    assert bootstrap.is_ready(project / ".venv", "run")
    assert not bootstrap.is_ready(project / ".venv", "test")


def test_a_test_environment_serves_run_too(bootstrap: ModuleType, project: Path) -> None:
    bootstrap.write_stamp(project / ".venv", "test")
    assert bootstrap.is_ready(project / ".venv", "run")
    assert bootstrap.is_ready(project / ".venv", "test")


@pytest.mark.parametrize("file", ["run.lock", "pyproject.toml", ".venv/pyvenv.cfg"])
def test_what_decides_the_packages_makes_the_stamp_old(
    bootstrap: ModuleType, project: Path, file: str
) -> None:
    bootstrap.write_stamp(project / ".venv", "run")
    changed = (project / file).read_text(encoding="utf-8").replace("3.1", "3.4") + "# changed\n"
    (project / file).write_text(changed, encoding="utf-8")
    assert not bootstrap.is_ready(project / ".venv", "run")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"run": "other"}'])
def test_a_damaged_stamp_counts_as_none(bootstrap: ModuleType, project: Path, text: str) -> None:
    bootstrap.write_stamp(project / ".venv", "run")
    (project / ".venv" / bootstrap.STAMP).write_text(text, encoding="utf-8")
    assert not bootstrap.is_ready(project / ".venv", "run")


def test_an_environment_whose_python_is_gone_is_not_ready(
    bootstrap: ModuleType, project: Path
) -> None:
    bootstrap.write_stamp(project / ".venv", "run")
    bootstrap.interpreter(project / ".venv").unlink()
    assert not bootstrap.is_ready(project / ".venv", "run")


def test_a_sound_environment_made_by_hand_is_kept(
    bootstrap: ModuleType, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = project / "site"
    (site / "pip").mkdir(parents=True)
    (site / "pip" / "__init__.py").touch()
    monkeypatch.setenv("PYTHONPATH", str(site))
    mark = project / ".venv" / "mark"
    mark.touch()
    bootstrap.prepare_venv()
    assert mark.exists()


def test_an_environment_without_pip_is_broken(bootstrap: ModuleType, project: Path) -> None:
    assert bootstrap.venv_fault(project / ".venv") == "is broken"


def test_an_environment_of_another_python_is_named(bootstrap: ModuleType, project: Path) -> None:
    (project / ".venv" / "pyvenv.cfg").write_text("version = 3.9.18\n", encoding="utf-8")
    fault = bootstrap.venv_fault(project / ".venv")
    assert fault == "is not an environment of Python 3.11 to 3.13"


def test_a_moved_environment_is_named(bootstrap: ModuleType, project: Path) -> None:
    bootstrap.write_stamp(project / ".venv", "run")
    moved = (project / ".venv").rename(project / "elsewhere")
    assert bootstrap.venv_fault(moved) == "was moved here from another folder"


def test_an_unsound_environment_is_made_anew(
    bootstrap: ModuleType,
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    made: list[str] = []
    monkeypatch.setattr(bootstrap, "make_venv", made.append)
    bootstrap.prepare_venv()
    assert not (project / ".venv").exists()
    assert [bootstrap.python_version(python) for python in made] == [sys.version_info[:2]]
    assert "is broken: making it anew." in capsys.readouterr().out


def test_a_file_in_the_way_is_made_an_environment(
    bootstrap: ModuleType, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(project / ".venv")
    (project / ".venv").touch()
    monkeypatch.setattr(bootstrap, "make_venv", lambda python: (project / ".venv").mkdir())
    bootstrap.prepare_venv()
    assert (project / ".venv").is_dir()


def test_the_environment_we_run_from_is_not_deleted(
    bootstrap: ModuleType, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "prefix", str(project / ".venv"))
    with pytest.raises(bootstrap.SetupError, match="this very Python lives in that folder"):
        bootstrap.prepare_venv()
    assert (project / ".venv").exists()


# System libraries


@ON_LINUX
def test_missing_libraries_are_those_that_do_not_load(bootstrap: ModuleType) -> None:
    assert bootstrap.missing_libraries(["libc.so.6", "libnot-there.so.9"]) == ["libnot-there.so.9"]


def test_the_sentence_names_libraries_and_command(bootstrap: ModuleType) -> None:
    sentence = bootstrap.library_sentence(["libEGL.so.1"], ["libegl1", "fonts-dejavu-core"])
    assert "the system lacks libEGL.so.1" in sentence
    assert "    sudo apt-get install -y libegl1 fonts-dejavu-core\n" in sentence


@pytest.fixture
def without_a_library(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """A system that lacks a library, and where installing is not ours to do."""
    monkeypatch.setattr(bootstrap, "LIBRARIES", {"libnot-there.so.9": "libnot-there9"})
    monkeypatch.setattr(bootstrap, "privilege", lambda: None)


@ON_LINUX
@pytest.mark.usefixtures("without_a_library")
def test_a_missing_library_stops_the_window(bootstrap: ModuleType) -> None:
    with pytest.raises(bootstrap.SetupError, match="apt-get install -y libnot-there9"):
        bootstrap.provide_libraries(required=True)


@ON_LINUX
@pytest.mark.usefixtures("without_a_library")
def test_without_a_display_a_missing_library_is_only_told(
    bootstrap: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    bootstrap.provide_libraries(required=False)
    assert "Going on without: the system lacks libnot-there.so.9" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("environment", "shown"),
    [
        ({}, False),
        ({"DISPLAY": ""}, False),
        ({"DISPLAY": ":0"}, True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, True),
        ({"QT_QPA_PLATFORM": "vnc"}, True),
    ],
)
def test_display(
    bootstrap: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    environment: dict[str, str],
    shown: bool,
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    assert bootstrap.has_display(environment) is shown
    monkeypatch.setattr(sys, "platform", "darwin")
    assert bootstrap.has_display(environment)


# Running and testing


@ON_LINUX
def test_without_a_display_the_main_job_is_done_in_words(
    bootstrap: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(bootstrap, "set_up", lambda command: None)
    monkeypatch.setattr(bootstrap, "interpreter", lambda venv: Path(sys.executable))
    assert bootstrap.main(["run"]) == 0
    printed = capfd.readouterr().out
    assert "There is no display" in printed
    assert "124,439,808" in printed
    assert f"The PyTorch code is in {tmp_path / 'model.py'}." in printed
    assert "class " in (tmp_path / "model.py").read_text(encoding="utf-8")


def test_the_code_never_replaces_another_file(bootstrap: ModuleType, tmp_path: Path) -> None:
    place = tmp_path / "model.py"
    assert bootstrap.keep(b"first", place) == place
    assert bootstrap.keep(b"first", place) == place
    assert bootstrap.keep(b"second", place) == tmp_path / "model-2.py"
    assert place.read_bytes() == b"first"
    assert (tmp_path / "model-2.py").read_bytes() == b"second"


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, str(SCRIPT), "run", str(tmp_path / "no.netdraft")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert result.stderr == f"Set-up stopped: there is no file {tmp_path / 'no.netdraft'}.\n"


def test_a_refusal_of_the_system_is_a_sentence(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(command: str) -> None:
        raise OSError(28, "No space left on device", "/there")

    monkeypatch.setattr(bootstrap, "set_up", refuse)
    assert bootstrap.main(["test"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("Set-up stopped: the system refused (/there): No space left on device.")


@pytest.mark.parametrize(
    ("codes", "result", "closing"),
    [
        ([0, 0], 0, "All 2 checks passed: check 0, check 1."),
        ([3, 0], 1, "Failed: check 0. "),
        ([1, 1], 1, "Failed: check 0, check 1. "),
    ],
)
def test_every_check_runs_and_the_summary_names_the_failed(
    bootstrap: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    codes: list[int],
    result: int,
    closing: str,
) -> None:
    checks = [
        bootstrap.Step(
            f"check {number}", [sys.executable, "-c", f"import sys; print('ran'); sys.exit({code})"]
        )
        for number, code in enumerate(codes)
    ]
    monkeypatch.setattr(bootstrap, "set_up", lambda command: None)
    monkeypatch.setattr(bootstrap, "steps", lambda: checks)
    assert bootstrap.test() == result
    lines = capfd.readouterr().out.splitlines()
    assert lines.count("ran") == len(codes)
    assert lines[-1].startswith(closing)


def test_a_program_that_is_not_there_fails_without_a_traceback(bootstrap: ModuleType) -> None:
    assert bootstrap.run(["no-such-program-of-ours"]).returncode == 127


# The locks


def project_table() -> dict[str, object]:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    table: dict[str, object] = tomllib.loads(text)["project"]
    return table


def pins(command: str, bootstrap: ModuleType) -> dict[str, Requirement]:
    """The requirements of a lock by name."""
    text = bootstrap.LOCKS[command].read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    return {requirement.name: requirement for requirement in map(Requirement, lines)}


def wanted(command: str) -> list[Requirement]:
    """What pyproject.toml asks for by name and range."""
    table = project_table()
    texts = list(table["dependencies"])  # type: ignore[call-overload]
    if command == "test":
        texts += table["optional-dependencies"]["test"]  # type: ignore[index]
    return [Requirement(text) for text in texts]


@pytest.mark.parametrize("command", ["run", "test"])
def test_the_lock_pins_all_that_the_project_asks_for(bootstrap: ModuleType, command: str) -> None:
    locked = pins(command, bootstrap)
    for requirement in wanted(command):
        (pin,) = locked[requirement.name.lower()].specifier
        assert pin.operator == "=="
        assert requirement.specifier.contains(pin.version), requirement


def test_the_test_lock_contains_the_run_lock(bootstrap: ModuleType) -> None:
    run, test = pins("run", bootstrap), pins("test", bootstrap)
    assert run.items() <= test.items()
    assert len(run) < len(test)


@pytest.mark.parametrize("command", ["run", "test"])
def test_locks_hold_no_host_and_no_torch(bootstrap: ModuleType, command: str) -> None:
    assert "torch" not in pins(command, bootstrap)
    assert "://" not in bootstrap.LOCKS[command].read_text(encoding="utf-8")
