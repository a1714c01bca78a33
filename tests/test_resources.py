"""The files that ship with the package are found in a checkout and in an installed wheel."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from designer import resources

ROOT = Path(__file__).resolve().parent.parent


def test_a_checkout_has_them_beside_the_package() -> None:
    assert resources.folder() == ROOT / "resources"
    assert resources.path("icons", "logo.svg") == ROOT / "resources" / "icons" / "logo.svg"
    assert resources.path("icons", "logo.svg").is_file()


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds what a wheel of this project installs."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def test_a_wheel_holds_every_one_of_them(installed: Path) -> None:
    shipped = contents(installed / "designer" / "_resources")
    assert shipped == contents(ROOT / "resources")
    assert Path("icons/logo.svg") in shipped


def contents(folder: Path) -> set[Path]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder) for path in files if "__pycache__" not in path.parts}


def test_a_wheel_finds_its_own(installed: Path) -> None:
    code = "from designer import resources; print(resources.path('icons', 'logo.svg'))"
    # -P and -S: neither this checkout nor its editable install may answer.
    result = subprocess.run(
        [sys.executable, "-P", "-S", "-c", f"import sys; sys.path.insert(0, '.'); {code}"],
        cwd=installed,
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(result.stdout.strip()) == installed / "designer/_resources/icons/logo.svg"


def test_an_incomplete_installation_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resources, "__file__", str(tmp_path / "designer" / "resources.py"))
    resources.folder.cache_clear()
    try:
        with pytest.raises(FileNotFoundError, match="the resources folder is missing"):
            resources.folder()
    finally:
        resources.folder.cache_clear()
