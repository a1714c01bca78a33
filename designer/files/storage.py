"""Bytes on the disk: read with limits, saved so that the file is always the old or the new one.

A save writes a temporary file beside the target, brings it to the disk, reads it back, and only
then puts it in the target's place. A hard link to the old file keeps the old bytes.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
import shutil
import stat as modes
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from designer.core.message import Message, message
from designer.files.limits import FILE_BYTES
from designer.files.refusal import Refusal, refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

CHUNK = 2**20
# Windows changes line ends without O_BINARY, which no other system has. Without O_NONBLOCK the
# opening of a pipe waits for a writer.
BINARY: int = getattr(os, "O_BINARY", 0)
READ_FLAGS: int = os.O_RDONLY | BINARY | getattr(os, "O_NONBLOCK", 0)
WRITE_FLAGS: int = os.O_RDWR | os.O_CREAT | os.O_EXCL | BINARY
TEMPORARY = ".netdraft-"
WRITABLE = modes.S_IWUSR | modes.S_IWGRP | modes.S_IWOTH
# What a folder says that cannot be brought to the disk by itself (network drives, Windows).
NO_FOLDER_SYNC = (errno.EINVAL, errno.ENOTSUP, errno.EBADF, errno.EACCES, errno.EISDIR)
NOT_POSSIBLE = (errno.EPERM, errno.EACCES, errno.ENOTSUP, errno.EINVAL, errno.ENODATA)

KINDS = (
    (modes.S_ISDIR, message("a folder, not a file.")),
    (modes.S_ISFIFO, message("a pipe, not a regular file.")),
    (modes.S_ISSOCK, message("a socket, not a regular file.")),
    (modes.S_ISCHR, message("a device, not a regular file.")),
    (modes.S_ISBLK, message("a device, not a regular file.")),
)
REASONS = {
    errno.ENOENT: message("the file or its folder is not there."),
    errno.ENOTDIR: message("the file or its folder is not there."),
    errno.EACCES: message("the system does not allow it."),
    errno.EPERM: message("the system does not allow it."),
    errno.ENAMETOOLONG: message("the name is too long for this folder."),
    errno.ELOOP: message("the link leads to itself."),
    errno.EIO: message("the disk reports an error."),
    errno.EMFILE: message("too many files are open."),
    errno.ENFILE: message("too many files are open."),
    errno.ESTALE: message("the drive is no longer connected."),
}
FULL = {
    errno.ENOSPC: "the disk is full (needs {size}, {free} free).",
    errno.EDQUOT: "your share of the disk is used up (needs {size}, {free} free).",
}
READ_ONLY_FOLDER = message("its folder is read-only; save it elsewhere with Save as.")


class Changed(Refusal):
    """The file is not the one that was opened any more: the caller asks before it is replaced."""


class ReadOnly(Refusal):
    """The file is marked read-only: the caller asks before it is replaced."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a file was when it was read or saved; `digest` is the SHA-256 of its bytes."""

    inode: int
    size: int
    modified: int
    """Nanoseconds, as the file system gives them: compared, never ordered."""
    digest: str


class Unconfirmed(Refusal):
    """The new file, with this `stamp`, is in its place, but the disk did not confirm it."""

    def __init__(self, text: Message, stamp: Stamp) -> None:
        super().__init__(text)
        self.stamp = stamp


def read_file(path: Path) -> bytes:
    """The bytes of a regular file of at most 64 MiB; raises Refusal for everything else."""
    return read_stamped(path)[0]


def stamp(path: Path) -> Stamp:
    """The Stamp of the file as it is now; raises Refusal as `read_file` does."""
    return read_stamped(path)[1]


def read_stamped(path: Path) -> tuple[bytes, Stamp]:
    """The bytes of a file and its Stamp, from one reading."""
    try:
        with _opened(path, READ_FLAGS) as descriptor:
            return _read_regular(descriptor, path)
    except (OSError, ValueError) as error:
        raise refusal(str(path), _not_read(path, error)) from None


@contextlib.contextmanager
def _opened(path: Path, flags: int, mode: int = 0) -> Iterator[int]:
    """A file descriptor; a failure to close it counts, but not above one that came before."""
    descriptor = os.open(path, flags, mode)
    try:
        yield descriptor
    except BaseException:
        with contextlib.suppress(OSError):
            os.close(descriptor)
        raise
    os.close(descriptor)


def _read_regular(descriptor: int, path: Path) -> tuple[bytes, Stamp]:
    before = os.fstat(descriptor)
    if not modes.S_ISREG(before.st_mode):
        raise refusal(str(path), message("this is {kind}", kind=_kind(before.st_mode)))
    if before.st_size > FILE_BYTES:
        reason = message(
            "{size}, at most {limit} are opened.",
            size=size_text(before.st_size),
            limit=size_text(FILE_BYTES),
        )
        raise refusal(str(path), reason)
    data = _read(descriptor, before.st_size + 1)
    after = os.fstat(descriptor)
    if len(data) != before.st_size or after.st_mtime_ns != before.st_mtime_ns:
        raise refusal(str(path), message("the file changed while it was read."))
    return data, _stamp(data, before)


def _read(descriptor: int, size: int) -> bytes:
    """At most `size` bytes, from where the file stands."""
    parts = []
    while size > 0 and (part := os.read(descriptor, min(size, CHUNK))):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _stamp(data: bytes, status: os.stat_result) -> Stamp:
    digest = hashlib.sha256(data).hexdigest()
    return Stamp(status.st_ino, len(data), status.st_mtime_ns, digest)


def _kind(mode: int) -> Message:
    kinds = (reason for is_kind, reason in KINDS if is_kind(mode))
    return next(kinds, message("not a regular file."))


def _not_read(path: Path, error: Exception) -> Message:
    # Windows does not open a folder at all.
    if isinstance(error, PermissionError) and path.is_dir():
        return message("not read: this is {kind}", kind=_kind(modes.S_IFDIR))
    return message("not read: {reason}", reason=_reason(error))


def _reason(error: Exception) -> Message:
    if not isinstance(error, OSError):
        return message("this name cannot be the name of a file.")
    text = message("the system reports: {text}.", text=error.strerror or str(error))
    return REASONS.get(error.errno or 0, text)


def save_file(
    path: Path, data: bytes, expected: Stamp | None = None, *, over_read_only: bool = False
) -> Stamp:
    """Put `data` in the place of the file, whole or not at all; returns the Stamp of the new file.

    A symbolic link keeps leading to the file that it names; mode, owner and extended attributes
    of the old file are kept as far as the system allows. Raises Refusal and leaves the old file
    as it was: Changed where the file is not the `expected` one (other content, or gone), ReadOnly
    where it is marked so, unless `over_read_only`. Only Unconfirmed comes after the replacing.
    """
    try:
        target = _target(path, over_read_only)
        new = _replace(path, target, data, expected)
    except (OSError, ValueError) as error:
        raise refusal(str(path), _not_saved(path, len(data), error)) from None
    try:
        _sync_folder(target.parent)
    except OSError as error:
        text = message("saved, but the disk did not confirm it: {reason}", reason=_reason(error))
        raise refusal(str(path), text, kind=lambda told: Unconfirmed(told, new)) from None
    return new


def _target(path: Path, over_read_only: bool) -> Path:
    """The file to replace, behind all links; refused when it is no regular file or read-only."""
    target = Path(os.path.realpath(path))
    if target.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    if not target.exists():
        return target
    mode = target.stat().st_mode
    if not modes.S_ISREG(mode):
        raise refusal(str(path), message("not saved: this is {kind}", kind=_kind(mode)))
    writable = mode & WRITABLE and os.access(target, os.W_OK)
    if not writable and not over_read_only:
        raise refusal(str(path), message("not saved: the file is read-only."), kind=ReadOnly)
    return target


def _replace(path: Path, target: Path, data: bytes, expected: Stamp | None) -> Stamp:
    temporary = target.with_name(f"{TEMPORARY}{secrets.token_hex(8)}.tmp")
    try:
        new = _write_beside(temporary, data, target)
        if expected is not None:
            _check_unchanged(path, target, new, expected)
        temporary.replace(target)
    except BaseException:
        # The first failure is the one to tell.
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    return new


def _write_beside(temporary: Path, data: bytes, target: Path) -> Stamp:
    """Write a file with the attributes of the target, down to the disk, and read it back."""
    replaces = target.exists()
    with _opened(temporary, WRITE_FLAGS, 0o600 if replaces else 0o666) as descriptor:
        _write(descriptor, data)
        if replaces:
            _keep_attributes(target, temporary)
        os.fsync(descriptor)
        os.lseek(descriptor, 0, os.SEEK_SET)
        if _read(descriptor, len(data) + 1) != data:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return _stamp(data, os.fstat(descriptor))


def _write(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest[:CHUNK]) :]


def _keep_attributes(target: Path, temporary: Path) -> None:
    """Give a new file the owner, extended attributes and mode of the one that it will replace."""
    status = target.stat()
    if hasattr(os, "chown"):
        # A member of the group may keep the group, but only root the owner.
        for owner in ((-1, status.st_gid), (status.st_uid, -1)):
            with _where_possible():
                os.chown(temporary, *owner)
    if hasattr(os, "listxattr"):
        with _where_possible():
            for name in os.listxattr(target):
                os.setxattr(temporary, name, os.getxattr(target, name))
    with _where_possible():
        temporary.chmod(modes.S_IMODE(status.st_mode))


@contextlib.contextmanager
def _where_possible() -> Iterator[None]:
    """Go on where the file system or the rights of the user have no such attribute."""
    try:
        yield
    except OSError as error:
        if error.errno not in NOT_POSSIBLE:
            raise


def _check_unchanged(path: Path, target: Path, new: Stamp, expected: Stamp) -> None:
    """Refuse when the target is neither what was opened nor already what is being saved."""
    if not target.exists():
        reason = message("not saved: the file that was opened is no longer there.")
        raise refusal(str(path), reason, kind=Changed)
    if stamp(target).digest not in (expected.digest, new.digest):
        reason = message("not saved: the file has changed since it was opened.")
        raise refusal(str(path), reason, kind=Changed)


def _sync_folder(folder: Path) -> None:
    """Bring the replacing itself to the disk, where folders can be."""
    try:
        with _opened(folder, os.O_RDONLY) as descriptor:
            os.fsync(descriptor)
    except OSError as error:
        if error.errno not in NO_FOLDER_SYNC:
            raise


def _not_saved(path: Path, size: int, error: Exception) -> Message:
    number = getattr(error, "errno", None)
    reason = _reason(error)
    if number in FULL:
        reason = message(FULL[number], size=size_text(size), free=_free(path))
    elif number in (errno.EACCES, errno.EPERM, errno.EROFS):
        reason = READ_ONLY_FOLDER
    return message("not saved: {reason}", reason=reason)


def _free(path: Path) -> str:
    try:
        return size_text(shutil.disk_usage(path.resolve().parent).free)
    except OSError:
        return "?"


def size_text(size: int) -> str:
    """A number of bytes as people read it: 12 B, 625.8 KiB, 1.85 GiB."""
    if size < 2**10:
        return f"{size} B"
    if size < 2**30:
        number, unit = (size / 2**10, "KiB") if size < 2**20 else (size / 2**20, "MiB")
        return f"{number:,.1f} {unit}"
    return f"{size / 2**30:,.2f} GiB"
