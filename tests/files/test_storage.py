"""Saving and reading with a disk that fails at every point, and with processes that are killed."""

from __future__ import annotations

import errno
import os
import random
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import designer
from designer.files import storage
from designer.files.limits import FILE_BYTES
from designer.files.refusal import Refusal
from designer.files.storage import (
    Changed,
    ReadOnly,
    Unconfirmed,
    read_file,
    read_stamped,
    save_file,
    size_text,
    stamp,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

OLD = b"the old document\n" * 100
NEW = b"the new document, which is longer\n" * 90_000
CALLS = (
    "access",
    "chmod",
    "chown",
    "close",
    "fstat",
    "fsync",
    "getxattr",
    "listxattr",
    "lseek",
    "lstat",
    "open",
    "read",
    "readlink",
    "replace",
    "setxattr",
    "stat",
    "write",
)
KEEP_WRITING = ("fsync", "open", "replace", "write")


def failing_at(at: int, code: int) -> Disk:
    """A disk that fails once."""
    return Disk(lambda number, name: code if number == at else 0)


def failing_from(at: int, code: int) -> Disk:
    """A disk that takes nothing from some moment on."""
    return Disk(lambda number, name: code if number >= at and name in KEEP_WRITING else 0)


class Disk:
    """The functions of `os`, of which some fail; `log` says what was called."""

    def __init__(self, fails: Callable[[int, str], int]) -> None:
        self.fails = fails
        self.log: list[str] = []
        self.failed = 0

    def wrap(self, name: str) -> Callable[..., Any]:
        real = getattr(os, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            self.log.append(name)
            code = self.fails(len(self.log), name)
            if not code:
                return real(*args, **kwargs)
            self.failed += 1
            if name == "close":
                real(*args)
            raise OSError(code, os.strerror(code))

        return call

    @contextmanager
    def used(self) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            for name in CALLS:
                patch.setattr(os, name, self.wrap(name))
            yield


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "net.netdraft"
    path.write_bytes(OLD)
    return path


def sentence(action: Callable[[], object], kind: type[Refusal] = Refusal) -> str:
    with pytest.raises(kind) as caught:
        action()
    return str(caught.value)


def leftovers(folder: Path) -> list[str]:
    return [entry.name for entry in folder.iterdir() if entry.name.startswith(storage.TEMPORARY)]


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


# Saving when all goes well


def test_save_replaces_and_stamps(path: Path) -> None:
    before = stamp(path)
    new = save_file(path, NEW, before)
    assert read_stamped(path) == (NEW, new)
    assert new != before
    assert save_file(path, OLD, new).digest == before.digest
    assert leftovers(path.parent) == []


def test_save_makes_a_new_file_by_the_umask(tmp_path: Path) -> None:
    old = os.umask(0o027)
    try:
        save_file(tmp_path / "new.netdraft", NEW)
    finally:
        os.umask(old)
    assert (tmp_path / "new.netdraft").stat().st_mode & 0o777 == 0o640
    assert read_file(tmp_path / "new.netdraft") == NEW


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o666, 0o755])
def test_save_keeps_the_mode(path: Path, mode: int) -> None:
    path.chmod(mode)
    save_file(path, NEW)
    assert path.stat().st_mode & 0o7777 == mode


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_save_keeps_the_owner(path: Path) -> None:
    os.chown(path, 1234, 2345)
    save_file(path, NEW)
    assert (path.stat().st_uid, path.stat().st_gid) == (1234, 2345)


def test_save_keeps_extended_attributes(path: Path) -> None:
    try:
        os.setxattr(path, "user.comment", b"kept")
    except OSError:
        pytest.skip("this file system has no extended attributes")
    save_file(path, NEW)
    assert os.getxattr(path, "user.comment") == b"kept"


def test_save_goes_through_links(path: Path, tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "second").symlink_to(path)
    link = folder / "first.netdraft"
    link.symlink_to("second")
    save_file(link, NEW, stamp(link))
    assert link.is_symlink()
    assert path.read_bytes() == NEW
    assert not path.is_symlink()


def test_save_through_a_dangling_link_makes_its_target(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to("target")
    save_file(link, NEW)
    assert (tmp_path / "target").read_bytes() == NEW
    assert link.is_symlink()


def test_hard_link_keeps_the_old_bytes(path: Path, tmp_path: Path) -> None:
    (tmp_path / "other").hardlink_to(path)
    save_file(path, NEW)
    assert ((tmp_path / "other").read_bytes(), path.read_bytes()) == (OLD, NEW)


def test_name_of_255_bytes(tmp_path: Path) -> None:
    save_file(tmp_path / ("é" * 127 + "x"), NEW)
    assert read_file(tmp_path / ("é" * 127 + "x")) == NEW


def test_name_that_is_no_utf8(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe.netdraft"))
    save_file(path, NEW)
    assert read_file(path) == NEW
    assert "\\udcff\\udcfe" in sentence(lambda: save_file(path / "below", NEW))


def test_bytes_reach_the_disk_before_they_take_the_place(path: Path) -> None:
    disk = Disk(lambda number, name: 0)
    with disk.used():
        save_file(path, NEW)
    order = [name for name in disk.log if name in ("write", "fsync", "read", "replace")]
    in_short = [name for name, before in zip(order, ["", *order], strict=False) if name != before]
    assert in_short == ["write", "fsync", "read", "replace", "fsync"]


# Saving when the disk fails


@pytest.mark.parametrize("linked", [False, True])
@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC, errno.EACCES, errno.EMFILE])
def test_old_or_new_when_any_one_call_fails(path: Path, code: int, linked: bool) -> None:
    target = path
    if linked:
        target = path.with_name("link")
        target.symlink_to(path)
    count = open_files()
    refused = 0
    for at in range(1, 1000):
        path.write_bytes(OLD)
        disk = failing_at(at, code)
        outcome = outcome_of(disk, target, stamp(path))
        assert path.read_bytes() == (OLD if outcome is Refusal else NEW)
        refused += outcome is Refusal
        assert leftovers(path.parent) == []
        assert open_files() == count
        assert target.is_symlink() == linked
        if not disk.failed:
            break
    assert at > 20
    assert refused > 10


def outcome_of(disk: Disk, path: Path, expected: storage.Stamp) -> type[Refusal] | None:
    try:
        with disk.used():
            save_file(path, NEW, expected)
    except Refusal as refusal:
        return type(refusal)
    return None


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS])
def test_old_stays_when_the_disk_takes_no_more(path: Path, code: int) -> None:
    for at in range(1, 1000):
        disk = failing_from(at, code)
        path.write_bytes(OLD)
        outcome = outcome_of(disk, path, stamp(path))
        assert path.read_bytes() == (OLD if outcome is Refusal else NEW)
        assert leftovers(path.parent) == []
        if not disk.failed:
            break
    assert path.read_bytes() == NEW
    assert at > 5


@pytest.mark.parametrize(
    ("code", "name", "expected"),
    [
        (errno.ENOSPC, "write", "not saved: the disk is full (needs 2.9 MiB, "),
        (errno.EDQUOT, "write", "not saved: your share of the disk is used up (needs 2.9 MiB, "),
        (errno.EIO, "fsync", "not saved: the disk reports an error."),
        (errno.EIO, "close", "not saved: the disk reports an error."),
        (
            errno.EROFS,
            "open",
            "not saved: its folder is read-only; save it elsewhere with Save as.",
        ),
        (
            errno.EACCES,
            "open",
            "not saved: its folder is read-only; save it elsewhere with Save as.",
        ),
        (errno.ESTALE, "replace", "not saved: the drive is no longer connected."),
        (errno.EFBIG, "write", "not saved: the system reports: File too large."),
    ],
)
def test_refusal_says_why(path: Path, code: int, name: str, expected: str) -> None:
    disk = Disk(lambda number, called: code if called == name else 0)
    with disk.used():
        text = sentence(lambda: save_file(path, NEW))
    assert text.startswith(str(path))
    assert expected in text
    assert path.read_bytes() == OLD


def test_free_space_is_named(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(path.parent)._replace(free=12_345)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage)
    disk = Disk(lambda number, called: errno.ENOSPC if called == "write" else 0)
    with disk.used():
        text = sentence(lambda: save_file(path, b"x" * 84_000))
    assert text.endswith("not saved: the disk is full (needs 82.0 KiB, 12.1 KiB free).")


def test_limit_of_the_system_cuts_a_write_short(path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, hard))
    try:
        text = sentence(lambda: save_file(path, NEW))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "not saved: the system reports: File too large." in text
    assert path.read_bytes() == OLD
    assert leftovers(path.parent) == []


def test_other_bytes_read_back_are_a_failure(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: real(fd, bytes(data).replace(b"new", b"nwe")))
    assert "the disk reports an error" in sentence(lambda: save_file(path, NEW))
    assert path.read_bytes() == OLD
    assert leftovers(path.parent) == []


def test_short_writes_are_continued(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: real(fd, data[: len(data) // 3 + 1]))
    save_file(path, NEW[:100_000])
    assert path.read_bytes() == NEW[:100_000]


@pytest.mark.parametrize("code", [errno.EINVAL, errno.ENOTSUP, errno.EACCES])
def test_folder_that_cannot_be_synced_is_no_failure(path: Path, code: int) -> None:
    disk = Disk(lambda number, name: code if name == "fsync" and "replace" in disk.log else 0)
    with disk.used():
        save_file(path, NEW)
    assert disk.failed == 1
    assert path.read_bytes() == NEW


def test_unconfirmed_save_can_be_repeated(path: Path) -> None:
    expected = stamp(path)
    disk = Disk(lambda number, name: errno.EIO if name == "fsync" and "replace" in disk.log else 0)
    with disk.used(), pytest.raises(Unconfirmed) as caught:
        save_file(path, NEW, expected)
    told = "saved, but the disk did not confirm it: the disk reports an error."
    assert str(caught.value) == f"{path}: {told}"
    assert caught.value.stamp == stamp(path)
    assert save_file(path, NEW, expected) == stamp(path)


@pytest.mark.parametrize("code", [errno.EPERM, errno.ENOTSUP])
def test_attributes_that_cannot_be_kept_do_not_keep_from_saving(path: Path, code: int) -> None:
    names = ("chown", "listxattr", "chmod")
    disk = Disk(lambda number, name: code if name in names else 0)
    with disk.used():
        save_file(path, NEW)
    assert disk.failed == 4
    assert path.read_bytes() == NEW


def test_signals_do_not_disturb(path: Path) -> None:
    arrived: list[int] = []
    old = signal.signal(signal.SIGALRM, lambda number, frame: arrived.append(number))
    signal.setitimer(signal.ITIMER_REAL, 0.0002, 0.0002)
    try:
        while len(arrived) < 50:
            save_file(path, NEW, save_file(path, OLD))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)
    assert read_file(path) == NEW


def test_interruption_removes_the_temporary_file(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        save_file(path, NEW)
    assert leftovers(path.parent) == []
    assert path.read_bytes() == OLD


# Targets that are refused


def test_read_only_file_is_asked_about(path: Path) -> None:
    path.chmod(0o444)
    assert "not saved: the file is read-only." in sentence(lambda: save_file(path, NEW), ReadOnly)
    assert path.read_bytes() == OLD
    save_file(path, NEW, over_read_only=True)
    assert path.read_bytes() == NEW
    assert path.stat().st_mode & 0o777 == 0o444


def test_read_only_folder_is_explained() -> None:
    folder = Path(tempfile.mkdtemp())
    path = folder / "net.netdraft"
    path.write_bytes(OLD)
    path.chmod(0o666)
    folder.chmod(0o555)
    was = os.geteuid()
    try:
        if was == 0:
            os.seteuid(65534)
        text = sentence(lambda: save_file(path, NEW))
        assert path.read_bytes() == OLD
    finally:
        os.seteuid(was)
        folder.chmod(0o755)
        shutil.rmtree(folder)
    assert "not saved: its folder is read-only; save it elsewhere with Save as." in text


def test_what_is_no_file_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    refusals = {
        tmp_path / "folder": "not saved: this is a folder, not a file.",
        tmp_path / "pipe": "not saved: this is a pipe, not a regular file.",
        Path("/dev/full"): "not saved: this is a device, not a regular file.",
        tmp_path / "loop": "not saved: the link leads to itself.",
        tmp_path / "none" / "x": "not saved: the file or its folder is not there.",
        tmp_path / ("x" * 256): "not saved: the name is too long for this folder.",
        tmp_path / "a\0b": "not saved: this name cannot be the name of a file.",
    }
    for path, expected in refusals.items():
        assert sentence(partial(save_file, path, NEW)).endswith(expected)
    assert leftovers(tmp_path) == []
    assert (tmp_path / "loop").is_symlink()


# Files that others change


def test_changed_file_is_asked_about(path: Path) -> None:
    opened = stamp(path)
    path.write_bytes(OLD[::-1])
    text = sentence(lambda: save_file(path, NEW, opened), Changed)
    assert text.endswith("not saved: the file has changed since it was opened.")
    assert path.read_bytes() == OLD[::-1]
    assert leftovers(path.parent) == []
    save_file(path, NEW)
    assert path.read_bytes() == NEW


def test_change_that_the_clock_does_not_show_is_seen(path: Path) -> None:
    opened = stamp(path)
    times = path.stat()
    path.write_bytes(OLD.swapcase())
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    with pytest.raises(Changed):
        save_file(path, NEW, opened)


def test_touched_file_is_the_same(path: Path) -> None:
    opened = stamp(path)
    os.utime(path, (1, 1))
    assert stamp(path) != opened
    save_file(path, NEW, opened)


def test_gone_file_is_asked_about(path: Path) -> None:
    opened = stamp(path)
    path.unlink()
    text = sentence(lambda: save_file(path, NEW, opened), Changed)
    assert text.endswith("not saved: the file that was opened is no longer there.")
    assert not path.exists()


# Reading


def test_what_is_no_file_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    with socket.socket(socket.AF_UNIX) as opened:
        opened.bind(os.path.relpath(tmp_path / "socket"))
    refusals = {
        tmp_path: "this is a folder, not a file.",
        tmp_path / "pipe": "this is a pipe, not a regular file.",
        Path("/dev/zero"): "this is a device, not a regular file.",
        tmp_path / "none": "not read: the file or its folder is not there.",
        tmp_path / "loop": "not read: the link leads to itself.",
        tmp_path / "a\0b": "not read: this name cannot be the name of a file.",
        Path("/proc/self/mem"): "not read: the disk reports an error.",
        Path("/proc/self/maps"): "the file changed while it was read.",
    }
    for path, expected in refusals.items():
        assert sentence(partial(read_file, path)).endswith(expected)
    assert "not read" in sentence(lambda: read_file(tmp_path / "socket"))


def test_large_file_is_refused_before_it_is_read(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.truncate(path, FILE_BYTES + 1)
    monkeypatch.setattr(os, "read", lambda *args: pytest.fail("the file was read"))
    text = sentence(lambda: read_file(path))
    assert text.endswith("64.0 MiB, at most 64.0 MiB are opened.")


def test_file_that_grows_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.read

    def read(descriptor: int, size: int) -> bytes:
        with path.open("ab") as file:
            file.write(b"more")
        return real(descriptor, size)

    monkeypatch.setattr(os, "read", read)
    assert "the file changed while it was read." in sentence(lambda: read_file(path))


def test_failing_reads_are_refused_and_closed(path: Path) -> None:
    count = open_files()
    for at in range(1, 20):
        disk = failing_at(at, errno.EIO)
        with disk.used(), pytest.raises(Refusal) if at < 7 else nullcontext():
            assert read_file(path) == OLD
        assert open_files() == count
        assert disk.failed == (at < 7)


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (84_000, "82.0 KiB"),
        (2**20, "1.0 MiB"),
        (64 * 2**20, "64.0 MiB"),
        (2_000_000_000, "1.86 GiB"),
        (10**15, "931,322.57 GiB"),
    ],
)
def test_sizes_are_binary(size: int, text: str) -> None:
    assert size_text(size) == text


# Processes that are killed

LOOP = """
import sys
from itertools import cycle
from pathlib import Path
from designer.files.storage import save_file
path = Path(sys.argv[1])
for letter, size in cycle([(b"a", 100), (b"b", 3_000_000), (b"c", 300_000)]):
    save_file(path, letter * size)
    sys.stdout.buffer.write(b".")
    sys.stdout.buffer.flush()
"""
WHOLE = {b"a" * 100, b"b" * 3_000_000, b"c" * 300_000}

EVERY_CALL = """
import os, signal, sys
from pathlib import Path
from designer.files.storage import save_file
path, names = Path(sys.argv[1]), sys.argv[2].split()
real = {name: getattr(os, name) for name in names}

def child(at):
    seen = 0
    def wrap(name):
        def call(*args, **kwargs):
            nonlocal seen
            seen += 1
            if seen == at:
                if name == "write":
                    real["write"](args[0], args[1][: len(args[1]) // 2])
                os.kill(os.getpid(), signal.SIGKILL)
            return real[name](*args, **kwargs)
        return call
    for name in names:
        setattr(os, name, wrap(name))
    save_file(path, b"new" * 800_000)
    os._exit(0)

for at in range(1, 1000):
    path.write_bytes(b"old" * 1000)
    pid = os.fork()
    if pid == 0:
        child(at)
    status = os.waitpid(pid, 0)[1]
    states = {b"old" * 1000: "old", b"new" * 800_000: "new"}
    print(at, os.WTERMSIG(status), states[path.read_bytes()])
    if not status:
        break
"""


def python(script: str, *args: str) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(Path(designer.__file__).parents[1])}
    command = [sys.executable, "-c", script, *args]
    return subprocess.Popen(command, stdout=subprocess.PIPE, env=environment)


def test_killed_at_any_moment_the_file_is_whole(path: Path) -> None:
    save_file(path, b"a" * 100)
    moments = random.Random(20)
    seen = set()
    for _ in range(20):
        with python(LOOP, str(path)) as child:
            assert child.stdout is not None
            assert child.stdout.read(moments.randrange(1, 12))
            child.kill()
        assert path.read_bytes() in WHOLE
        seen.add(path.read_bytes())
    assert len(seen) > 1


def test_killed_at_every_call_the_file_is_old_or_new(path: Path) -> None:
    with python(EVERY_CALL, str(path), " ".join(CALLS)) as child:
        output, _ = child.communicate()
    lines = [line.split() for line in output.decode().splitlines()]
    states = [state for _, _, state in lines]
    assert states == sorted(states, reverse=True)
    assert {"old", "new"} == set(states)
    assert [int(ended) for _, ended, _ in lines] == [signal.SIGKILL] * (len(lines) - 1) + [0]
    assert len(lines) > 15
