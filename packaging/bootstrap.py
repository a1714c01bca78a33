"""Set up and start Netdraft: `python3 packaging/bootstrap.py run`, or `test`.

Needs only the standard library. Written so that an older Python, too, can say what is missing.
"""

from __future__ import annotations

import argparse
import ctypes
import hashlib
import json
import os
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Iterable, Mapping, NamedTuple, Sequence, Tuple

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = "netdraft-stamp.json"
EXAMPLE = ROOT / "resources" / "gallery" / "gpt2.netdraft"
LOCKS = {
    "run": ROOT / "packaging" / "requirements.lock",
    "test": ROOT / "packaging" / "requirements-test.lock",
}
SUPPORTED = ((3, 11), (3, 12), (3, 13))
# Tried in this order: the release that the tests were written with, then any that serves.
TORCH_CHOICES = ("torch==2.13.0", "torch>=2.6")
# The oldest C library that the locked PySide6 has a Linux package for, by machine.
GLIBC = {"x86_64": (2, 34), "aarch64": (2, 39)}
# What PySide6 loads and does not bring, by file name, with Debian's package for it.
LIBRARIES = {
    "libGL.so.1": "libgl1",
    "libEGL.so.1": "libegl1",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libbrotlidec.so.1": "libbrotli1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libX11-xcb.so.1": "libx11-xcb1",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
}

Version = Tuple[int, int]


class SetupError(Exception):
    """Set-up cannot go on; the text is the sentence for the user, with the way out."""


class Step(NamedTuple):
    """One check of `test`: what it is called, and its command inside the environment."""

    name: str
    command: list[str]


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code of the command line `arguments` (those of the process when None)."""
    parser = argparse.ArgumentParser(
        prog="bootstrap.py", description="Set up Netdraft in .venv, then run or test it."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="start the app with the GPT-2 example open")
    run.add_argument("file", nargs="?", type=Path, default=EXAMPLE, help="open this file instead")
    commands.add_parser("test", help="format, lint, types, import contracts and all tests")
    options = parser.parse_args(arguments)
    try:
        return test() if options.command == "test" else start(options.file)
    except SetupError as error:
        print(f"Set-up stopped: {error}", file=sys.stderr)
    except OSError as error:
        print(f"Set-up stopped: {describe(error)}", file=sys.stderr)
    except KeyboardInterrupt:
        print("Stopped. The same command carries on from here.", file=sys.stderr)
        return 130
    return 1


def say(sentence: str) -> None:
    """Print at once, so that the order holds between our lines and those of the programs run."""
    print(sentence, flush=True)


def describe(error: OSError) -> str:
    """A sentence for what the system refused."""
    place = f" ({error.filename})" if error.filename else ""
    reason = error.strerror or str(error)
    return f"the system refused{place}: {reason}. Mend that, then run the same command again."


# The environment


def set_up(command: str) -> None:
    """Make everything ready that `command` needs; nothing to do on a second start."""
    if sys.platform.startswith("linux"):
        provide_libraries(required=command == "test" or has_display(os.environ))
    if not is_ready(VENV, command):
        check_system(sys.platform, platform.machine(), platform.libc_ver()[1])
        prepare_venv()
        install(command)


def check_system(system: str, machine: str, glibc: str) -> None:
    """Raise SetupError where PySide6 has no package for a Linux of this machine and C library."""
    if not system.startswith("linux"):
        return
    needed = GLIBC.get(machine)
    if needed is None:
        raise SetupError(
            f"Qt for Python has no packages for Linux on {machine}, only on {' and '.join(GLIBC)}; "
            "use a computer of one of these kinds."
        )
    if (parse_version(glibc) or (0, 0)) < needed:
        raise SetupError(
            f"on {machine} Qt for Python needs glibc {needed[0]}.{needed[1]} or newer, and this "
            f"system has {glibc or 'none'}. Use a newer system, such as Debian 13 or Ubuntu 24.04."
        )


def is_ready(venv: Path, command: str) -> bool:
    """Whether the stamp of `venv` says that it was completed for `command` from today's locks."""
    wanted = fingerprint(LOCKS[command], venv)
    return interpreter(venv).exists() and read_stamp(venv).get(command) == wanted


def fingerprint(lock: Path, venv: Path) -> str:
    """A hash of all that decides what is installed: locks, project, Python and place."""
    digest = hashlib.sha256()
    for file in (lock, ROOT / "pyproject.toml"):
        digest.update(file.read_bytes())
    digest.update(f"{venv_version(venv)} {venv}".encode())
    return digest.hexdigest()


def venv_version(venv: Path) -> Version | None:
    """The Python version that `venv` was made with, as its pyvenv.cfg says; None if it does not."""
    try:
        text = (venv / "pyvenv.cfg").read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return None
    for line in text.splitlines():
        key, _, value = line.partition("=")
        if key.strip() in ("version", "version_info"):
            return parse_version(value)
    return None


def parse_version(text: str) -> Version | None:
    """(3, 11) of " 3.11.2"; None of what is no version."""
    numbers = text.strip().split(".")[:2]
    if len(numbers) < 2 or not all(number.isdigit() for number in numbers):
        return None
    return int(numbers[0]), int(numbers[1])


def read_stamp(venv: Path) -> dict[str, str]:
    """The fingerprints by command; empty when the environment was never completed."""
    try:
        stamp = json.loads((venv / STAMP).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def write_stamp(venv: Path, command: str) -> None:
    """Note that `venv` is complete for `command`; the test lock contains the run lock."""
    commands = ("run", "test") if command == "test" else ("run",)
    stamp = {name: fingerprint(LOCKS[name], venv) for name in commands}
    stamp["folder"] = str(venv)
    (venv / STAMP).write_text(json.dumps(stamp, indent=2) + "\n", encoding="utf-8")


def prepare_venv() -> None:
    """Keep a sound .venv; make a missing one; make an unsound one anew."""
    if VENV.exists() or VENV.is_symlink():
        fault = venv_fault(VENV)
        if fault is None:
            return
        say(f"{VENV} {fault}: making it anew.")
        remove(VENV)
    make_venv(find_python())


def venv_fault(venv: Path) -> str | None:
    """Why `venv` cannot be used, as the end of a sentence; None when it can."""
    if venv_version(venv) not in SUPPORTED:
        return f"is not an environment of Python {version_range()}"
    if read_stamp(venv).get("folder", str(venv)) != str(venv):
        return "was moved here from another folder"
    if not succeeds([str(interpreter(venv)), "-c", "import pip"]):
        return "is broken"
    return None


def remove(venv: Path) -> None:
    """Delete the environment that we are not running from."""
    if Path(sys.prefix).resolve() == venv.resolve():
        raise SetupError(
            "this very Python lives in that folder. Run the command with another one: "
            "python3 packaging/bootstrap.py, with no environment active."
        )
    if venv.is_dir() and not venv.is_symlink():
        shutil.rmtree(venv)
    else:
        venv.unlink()


def make_venv(python: str) -> None:
    """Create .venv with `python`, getting Debian's venv package first where that is missing."""
    if not succeeds([python, "-c", "import ensurepip"]):
        provide_ensurepip(python)
    say(f"Making {VENV} with {python} ...")
    if not succeeds([python, "-m", "venv", str(VENV)], quiet=False):
        raise SetupError(
            f"{python} could not make an environment in {VENV}; its reason stands above."
        )


def provide_ensurepip(python: str) -> None:
    """Install the package that makes `python -m venv` work, or raise with its command."""
    major, minor = python_version(python) or sys.version_info[:2]
    package = f"python{major}.{minor}-venv"
    say(f"{python} cannot make environments: Debian and Ubuntu have that in {package}.")
    if not apt_install([package]):
        raise SetupError(
            "Python's venv module is incomplete. On Debian or Ubuntu run\n"
            f"    {apt_command([package])}\nand then the same command again."
        )


def interpreter(venv: Path) -> Path:
    """The Python of an environment."""
    return venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


# Python


def find_python() -> str:
    """A supported Python: the one that runs this, else one from the PATH."""
    own = getattr(sys, "_base_executable", sys.executable)
    names = [f"python{major}.{minor}" for major, minor in reversed(SUPPORTED)]
    for candidate in [own, *names]:
        found = shutil.which(candidate)
        if found and python_version(found) in SUPPORTED:
            return found
    running = ".".join(map(str, sys.version_info[:3]))
    raise SetupError(
        f"Netdraft needs Python {version_range()}, and this is {running} with no other on the "
        "PATH. Install one of them, on Debian or Ubuntu with\n"
        f"    {apt_command(['python3', 'python3-venv'])}\n"
        "where that is new enough, then run the same command again."
    )


def python_version(python: str) -> Version | None:
    """What `python` says of itself; None when it does not run."""
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    answer = run([python, "-c", code], capture_output=True)
    return parse_version(answer.stdout) if answer.returncode == 0 else None


def version_range() -> str:
    """ "3.11 to 3.13"."""
    first, last = SUPPORTED[0], SUPPORTED[-1]
    return f"{first[0]}.{first[1]} to {last[0]}.{last[1]}"


# Packages


def install(command: str) -> None:
    """Install the locked packages and Netdraft itself, then try them."""
    lock = LOCKS[command]
    say(f"Installing the packages of {lock.relative_to(ROOT)} ...")
    pip("-r", str(lock))
    say("Installing Netdraft ...")
    pip("--no-deps", "--no-build-isolation", "-e", str(ROOT))
    if command == "test":
        install_torch(lock)
    try_imports()
    write_stamp(VENV, command)


def pip(*arguments: str) -> None:
    """Install with the environment's pip, or raise SetupError."""
    if not pip_succeeds(*arguments):
        raise SetupError(
            "pip could not install the packages; its reason stands above. Mostly it is the network "
            "or a full disk: mend that, then run the same command again; what is done stays done."
        )


def pip_succeeds(*arguments: str) -> bool:
    command = [str(interpreter(VENV)), "-m", "pip", "install", "--disable-pip-version-check"]
    return succeeds([*command, *arguments], quiet=False)


def install_torch(lock: Path) -> None:
    """Give the tests a torch to compare with, unless the environment has one."""
    if succeeds([str(interpreter(VENV)), "-c", "import torch"]):
        return
    say(
        "Installing PyTorch, which the tests compare with. A CPU build is enough; if pip's index "
        "offers a build of several GB, stop, install a CPU build in .venv yourself, and go on."
    )
    if not any(pip_succeeds(choice, "-c", str(lock)) for choice in TORCH_CHOICES):
        raise SetupError(
            "pip could not install PyTorch; its reason stands above. Install any CPU build of "
            f"torch 2.6 or newer with {interpreter(VENV)} -m pip, then run the same command again."
        )


def try_imports() -> None:
    """Raise SetupError unless the package and Qt can be imported."""
    names = ["designer"]
    if not missing_libraries(LIBRARIES):
        names.append("PySide6.QtWidgets")
    answer = run([str(interpreter(VENV)), "-c", f"import {', '.join(names)}"], capture_output=True)
    if answer.returncode:
        reason = (answer.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise SetupError(
            f"the installed packages cannot be loaded ({reason}). Delete {VENV} and run the same "
            "command again; if it comes back, that line says what is missing."
        )


# System libraries


def provide_libraries(*, required: bool) -> None:
    """Install the system libraries that Qt lacks; where `required`, raise without them."""
    missing = missing_libraries(LIBRARIES)
    packages = [LIBRARIES[name] for name in missing]
    if not has_font():
        packages.append("fonts-dejavu-core")
    if not packages:
        return
    say(f"Qt needs these system packages: {' '.join(packages)}.")
    if apt_install(packages) and not missing_libraries(LIBRARIES):
        return
    sentence = library_sentence(missing, packages)
    if missing and required:
        raise SetupError(sentence)
    say(f"Going on without: {sentence}")


def missing_libraries(names: Iterable[str]) -> list[str]:
    """Those shared libraries of `names` that the system cannot load."""
    return [name for name in names if not loads(name)]


def loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def library_sentence(missing: Sequence[str], packages: Sequence[str]) -> str:
    """What is missing and the one command that brings it."""
    what = f"the system lacks {', '.join(missing)}" if missing else "the system has no fonts"
    return (
        f"{what}, which the window needs. On Debian or Ubuntu run\n"
        f"    {apt_command(packages)}\n"
        "and then the same command again; elsewhere install the packages that hold these files."
    )


def has_font() -> bool:
    """Whether the system has a font for what the bundled ones do not cover."""
    folders = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), Path.home() / ".fonts")
    endings = (".ttf", ".otf", ".ttc", ".pfb")
    return any(
        name.endswith(endings)
        for folder in folders
        for _, _, names in os.walk(str(folder))
        for name in names
    )


def apt_command(packages: Sequence[str]) -> str:
    """The command to type."""
    return f"sudo apt-get install -y {' '.join(packages)}"


def apt_install(packages: Sequence[str]) -> bool:
    """Install Debian packages if that is ours to do; whether they are there now."""
    rights = privilege()
    if shutil.which("apt-get") is None or rights is None:
        return False
    apt = [*rights, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]
    install_command = [*apt, "install", "-y", "--no-install-recommends", *packages]
    say(f"Installing them: {shlex.join(install_command)}")
    if has_package_lists() and succeeds(install_command, quiet=False):
        return True
    say("Reading the package lists first ...")
    return succeeds([*apt, "update"], quiet=False) and succeeds(install_command, quiet=False)


def privilege() -> list[str] | None:
    """What comes before a command to run it as root; None when we may not without a password."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") and succeeds(["sudo", "-n", "true"]):
        return ["sudo", "-n"]
    return None


def has_package_lists() -> bool:
    return any(Path("/var/lib/apt/lists").glob("*_Packages*"))


# Run


def start(document: Path) -> int:
    """Set up, then open the window, or do its main job without one where there is no display."""
    if not document.is_file():
        raise SetupError(f"there is no file {document}.")
    set_up("run")
    if not has_display(os.environ):
        return work_without_window(document)
    say(f"Starting Netdraft with {document.name} ...")
    code = run(netdraft(str(document))).returncode
    if code:
        say(f"Netdraft ended with code {code}; if no window came up, the reason stands above.")
    return code


def has_display(environment: Mapping[str, str]) -> bool:
    """Whether a window can be shown: outside Linux always; QT_QPA_PLATFORM is the user's word."""
    names = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    return not sys.platform.startswith("linux") or any(environment.get(name) for name in names)


def work_without_window(document: Path) -> int:
    """Print the count table and write the code: what the window is for."""
    say(f"There is no display, so no window: here is what {document.name} holds.")
    require(run(netdraft("count", str(document))).returncode, "counting")
    with tempfile.TemporaryDirectory() as folder:
        exported = Path(folder) / "model.py"
        require(run(netdraft("export", str(document), "-o", str(exported))).returncode, "export")
        place = keep(exported.read_bytes(), Path.cwd() / "model.py")
    say(f"The PyTorch code is in {place}. With a display, the same command opens the window.")
    return 0


def require(code: int, what: str) -> None:
    if code:
        raise SetupError(f"the {what} failed with code {code}; its reason stands above.")


def keep(data: bytes, place: Path) -> Path:
    """Write `data` to `place`, or to a free name beside it: no other file is overwritten."""
    number = 1
    target = place
    while target.exists() and target.read_bytes() != data:
        number += 1
        target = place.with_name(f"{place.stem}-{number}{place.suffix}")
    target.write_bytes(data)
    return target


def netdraft(*arguments: str) -> list[str]:
    return [str(interpreter(VENV)), "-m", "designer", *arguments]


# Test


def steps() -> list[Step]:
    """All checks, the quick ones first."""
    python = str(interpreter(VENV))
    return [
        Step("format", [python, "-m", "ruff", "format", "--check"]),
        Step("lint", [python, "-m", "ruff", "check"]),
        Step("types", [python, "-m", "mypy"]),
        Step("import contracts", [str(interpreter(VENV).with_name("lint-imports")), "--no-logo"]),
        Step("dependencies", [python, "-m", "deptry", "--no-ansi", "."]),
        # A file's tests stay together: what is set up for a file is set up once.
        Step(
            "tests", [python, "-m", "pytest", "-n", "auto", "--maxprocesses=4", "--dist=loadfile"]
        ),
    ]


def test() -> int:
    """Set up, then run every check, also after one failed; 0 when all passed."""
    set_up("test")
    failed = []
    for step in steps():
        say(f"\n== {step.name}: {shlex.join(step.command)}")
        if run(step.command, cwd=str(ROOT)).returncode:
            failed.append(step.name)
            say(f"== {step.name}: FAILED")
    say("")
    if failed:
        say(f"Failed: {', '.join(failed)}. The reasons stand above, under == and the name.")
        return 1
    say(f"All {len(steps())} checks passed: {', '.join(step.name for step in steps())}.")
    return 0


# Processes


def succeeds(command: Sequence[str], *, quiet: bool = True) -> bool:
    """Whether `command` ends with 0; what it prints is shown unless `quiet`."""
    return run(command, capture_output=quiet).returncode == 0


def run(
    command: Sequence[str], *, capture_output: bool = False, cwd: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run to the end without a shell; a program that cannot be started ends with 127."""
    try:
        return subprocess.run(
            command, capture_output=capture_output, cwd=cwd, text=True, check=False
        )
    except FileNotFoundError as error:
        return subprocess.CompletedProcess(command, 127, "", str(error))


if __name__ == "__main__":
    sys.exit(main())
