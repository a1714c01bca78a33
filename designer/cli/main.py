"""The `netdraft` command."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING, Any

from designer.core.message import message

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from designer.core.message import Message

COMMANDS = ("count", "check", "export", "layers")
USAGE = 2
INTERRUPTED = 130
EXAMPLES = "gpt2, cifar10-cnn, ..."


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code: 0 fine, 1 problems, 2 cannot be read or used."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    _write_what_can_be_written()
    wished, arguments = _wished(arguments)
    if wished is not None:
        return _printing(arguments, wished)
    if not arguments or not (arguments[0] in COMMANDS or arguments[0].startswith("-")):
        from designer.cli.place import find
        from designer.ui.app import main as open_window

        return open_window([str(find(argument)) for argument in arguments])
    return _printing(arguments)


def _wished(arguments: list[str]) -> tuple[str | None, list[str]]:
    """The language that is asked for anywhere among the arguments, and the other arguments."""
    parser = argparse.ArgumentParser(prog="netdraft", add_help=False, allow_abbrev=False)
    parser.add_argument("--language")
    found, rest = parser.parse_known_args(arguments)
    return found.language, rest


def _printing(arguments: list[str], wished: str | None = None) -> int:
    """Run a command whose output may be cut off, closed or full."""
    from designer.cli.saying import say, speak

    try:
        speak(wished, os.environ)
        code = _run(_parser().parse_args(arguments))
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read the output has had enough.
        _write_nothing_more()
        return 0
    except OSError as error:
        _write_nothing_more()
        text = "netdraft: the output could not be written: {reason}."
        say(message(text, reason=error.strerror))
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
    from designer.cli.saying import told
    from designer.files.refusal import Refusal

    try:
        command = _command(arguments.command)
        if not _about_packages(arguments):
            from designer.cli.packages import use_enabled

            use_enabled()
        return command(arguments)
    except Refusal as refusal:
        print(f"netdraft: {told(refusal.message)}", file=sys.stderr)
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


class _Parser(argparse.ArgumentParser):
    """A parser whose help is in the language that is spoken, its headings included."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(add_help=False, **settings)
        self._positionals.title = _told(message("positional arguments"))
        self._optionals.title = _told(message("options"))
        text = message("show this help message and exit")
        self.add_argument("-h", "--help", action="help", help=_told(text))


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="netdraft",
        usage="netdraft [FILE ...]\n       netdraft {count,check,export} FILE [options]\n"
        "       netdraft layers [WORDS | --packages | --enable NAME | --disable NAME]",
        description=_told(
            message("Draw neural networks: exact shapes, exact counts, PyTorch code that runs.")
        ),
        epilog=_epilog(),
        allow_abbrev=False,
    )
    text = message("print the version")
    parser.add_argument("--version", action=_Version, nargs=0, help=_told(text))
    _add_language(parser)
    commands = parser.add_subparsers(
        dest="command", required=True, metavar="command", prog="netdraft"
    )
    for add in (_add_count, _add_check, _add_export, _add_layers):
        _add_language(add(commands))
    return parser


def _told(text: Message) -> str:
    """A help text as argparse takes it, which reads % as the start of a name."""
    from designer.cli.saying import told

    return told(text).replace("%", "%%")


def _epilog() -> str:
    text = "FILE is a .netdraft file, or the name of an example: {examples}"
    return _told(message(text, examples=EXAMPLES))


def _add_language(parser: argparse.ArgumentParser) -> None:
    """For the help alone: it is taken from among the arguments before they are parsed."""
    from designer.languages import languages

    text = message("the language to speak: {known}", known=", ".join(languages()))
    parser.add_argument("--language", help=_told(text))


def _add_count(
    commands: argparse._SubParsersAction[_Parser],
) -> _Parser:
    text = message("print every number of a design")
    command = commands.add_parser("count", help=_told(text), epilog=_epilog())
    command.add_argument("file", metavar="FILE")
    text = message("print JSON instead of a table")
    command.add_argument("--json", action="store_true", help=_told(text))
    text = message("also list the uses of blocks, with the parameters of each")
    command.add_argument("--blocks", action="store_true", help=_told(text))
    text = message("count with the values of a preset")
    command.add_argument("--preset", metavar="NAME", help=_told(text))
    text = message("count with another value of a variable")
    metavar = "NAME=VALUE"
    command.add_argument("--set", metavar=metavar, action="append", default=[], help=_told(text))
    return command


def _add_check(
    commands: argparse._SubParsersAction[_Parser],
) -> _Parser:
    text = message("list what is wrong with a design")
    command = commands.add_parser("check", help=_told(text), epilog=_epilog())
    command.add_argument("file", metavar="FILE")
    text = message("also build the exported module and compare it with the design")
    command.add_argument("--torch", action="store_true", help=_told(text))
    text = message("print JSON instead of sentences")
    command.add_argument("--json", action="store_true", help=_told(text))
    return command


def _add_export(
    commands: argparse._SubParsersAction[_Parser],
) -> _Parser:
    text = message("write a design as PyTorch code")
    command = commands.add_parser("export", help=_told(text), epilog=_epilog())
    command.add_argument("file", metavar="FILE")
    text = message("the file to write (default: standard output, -)")
    command.add_argument("-o", "--output", default="-", help=_told(text))
    text = message("replace a file that was not exported by Netdraft")
    command.add_argument("--force", action="store_true", help=_told(text))
    return command


def _add_layers(
    commands: argparse._SubParsersAction[_Parser],
) -> _Parser:
    text = message("list the layers, with options and help")
    command = commands.add_parser("layers", help=_told(text))
    text = message("part of a name")
    command.add_argument("words", metavar="WORDS", nargs="?", default="", help=_told(text))
    text = message("print JSON instead of a list")
    command.add_argument("--json", action="store_true", help=_told(text))
    packages = command.add_mutually_exclusive_group()
    text = message("list the installed packages that offer layers")
    packages.add_argument("--packages", action="store_true", help=_told(text))
    text = message("use the layers of a package from now on")
    packages.add_argument("--enable", metavar="NAME", help=_told(text))
    packages.add_argument("--disable", metavar="NAME", help=_told(message("use them no more")))
    return command


class _Version(argparse.Action):
    """Prints the version, which is looked up only then."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        print(f"netdraft {version('netdraft')}")
        parser.exit()


if __name__ == "__main__":
    sys.exit(main())
