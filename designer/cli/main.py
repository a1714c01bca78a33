"""The `netdraft` command."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

COMMANDS = ("count", "check", "export", "layers")
USAGE = 2
INTERRUPTED = 130
EPILOG = "FILE is a .netdraft file, or the name of an example: gpt2-small, cifar10-cnn, ..."


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code: 0 fine, 1 problems, 2 cannot be read or used."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    _write_what_can_be_written()
    if not arguments or not (arguments[0] in COMMANDS or arguments[0].startswith("-")):
        from designer.cli.place import find
        from designer.ui.app import main as open_window

        return open_window([str(find(argument)) for argument in arguments])
    return _printing(arguments)


def _printing(arguments: list[str]) -> int:
    """Run a command whose output may be cut off, closed or full."""
    try:
        code = _run(_parser().parse_args(arguments))
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read the output has had enough.
        _write_nothing_more()
        return 0
    except OSError as error:
        _write_nothing_more()
        print(f"netdraft: the output could not be written: {error.strerror}.", file=sys.stderr)
        return USAGE
    except KeyboardInterrupt:
        return INTERRUPTED
    return code


def _write_nothing_more() -> None:
    """Send what is still to be written nowhere: Python would try again at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _write_what_can_be_written() -> None:
    """Under an old locale a sign like × becomes an escape instead of an error."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def _run(arguments: argparse.Namespace) -> int:
    from designer.files.refusal import Refusal

    try:
        command = _command(arguments.command)
        if not _about_packages(arguments):
            from designer.cli.packages import use_enabled

            use_enabled()
        return command(arguments)
    except Refusal as refusal:
        print(f"netdraft: {refusal}", file=sys.stderr)
        return USAGE


def _about_packages(arguments: argparse.Namespace) -> bool:
    """Whether the command is about packages with layers, rather than with their layers."""
    asked = vars(arguments)
    return any(asked.get(name) for name in ("packages", "enable", "disable"))


def _command(name: str) -> Callable[[argparse.Namespace], int]:
    if name == "count":
        from designer.cli.count import run
    elif name == "check":
        from designer.cli.check import run
    elif name == "export":
        from designer.cli.export import run
    else:
        from designer.cli.layers import run
    return run


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="netdraft",
        usage="netdraft [FILE ...]\n       netdraft {count,check,export} FILE [options]\n"
        "       netdraft layers [WORDS | --packages | --enable NAME | --disable NAME]",
        description="Draw neural networks: exact shapes, exact counts, PyTorch code that runs.",
        epilog=EPILOG,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    _add_count(commands)
    _add_check(commands)
    _add_export(commands)
    _add_layers(commands)
    return parser


def _add_count(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("count", help="print every number of a design", epilog=EPILOG)
    command.add_argument("file", metavar="FILE")
    command.add_argument("--json", action="store_true", help="print JSON instead of a table")


def _add_check(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("check", help="list what is wrong with a design", epilog=EPILOG)
    command.add_argument("file", metavar="FILE")
    command.add_argument(
        "--torch",
        action="store_true",
        help="also build the exported module and compare it with the design",
    )
    command.add_argument("--json", action="store_true", help="print JSON instead of sentences")


def _add_export(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("export", help="write a design as PyTorch code", epilog=EPILOG)
    command.add_argument("file", metavar="FILE")
    command.add_argument(
        "-o", "--output", default="-", help="the file to write (default: standard output, -)"
    )
    command.add_argument(
        "--force", action="store_true", help="replace a file that was not exported by Netdraft"
    )


def _add_layers(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("layers", help="list the layers, with options and help")
    command.add_argument("words", metavar="WORDS", nargs="?", default="", help="part of a name")
    command.add_argument("--json", action="store_true", help="print JSON instead of a list")
    packages = command.add_mutually_exclusive_group()
    packages.add_argument(
        "--packages", action="store_true", help="list the installed packages that offer layers"
    )
    packages.add_argument(
        "--enable", metavar="NAME", help="use the layers of a package from now on"
    )
    packages.add_argument("--disable", metavar="NAME", help="use them no more")


class _Version(argparse.Action):
    """Prints the version, which is looked up only then."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        print(f"netdraft {version('netdraft')}")
        parser.exit()


if __name__ == "__main__":
    sys.exit(main())
