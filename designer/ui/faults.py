"""What happens to an exception that nobody caught: it is logged and told, and the app goes on."""

from __future__ import annotations

import logging
import sys
import threading
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

log = logging.getLogger("designer")


class Faults(QObject):
    """Catches what Qt would only print: exceptions in slots, threads and finalizers.

    `told` carries a sentence, once for each kind of fault; every fault is in the log.
    """

    told = Signal(str)
    _caught = Signal(str)

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.path = folder / "netdraft.log"
        self._seen: set[str] = set()
        self._caught.connect(self._tell, Qt.ConnectionType.QueuedConnection)
        self._log_to_file()

    def _log_to_file(self) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            handler: logging.Handler = logging.FileHandler(self.path, encoding="utf-8", delay=True)
        except OSError:
            handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        log.addHandler(handler)

    def install(self) -> None:
        """Take over the hooks of Python."""
        sys.excepthook = self.catch
        threading.excepthook = self._catch_in_thread
        sys.unraisablehook = self._catch_unraisable

    def catch(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        """Log an exception and tell of it; an interrupt from the keyboard ends the app."""
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
            return
        log.error("Uncaught exception", exc_info=(kind, error, trace))
        self._caught.emit(f"{kind.__name__}: {error}")

    def _catch_in_thread(self, args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            self.catch(args.exc_type, args.exc_value, args.exc_traceback)

    def _catch_unraisable(self, args: sys.UnraisableHookArgs) -> None:
        if args.exc_value is not None:
            self.catch(args.exc_type, args.exc_value, args.exc_traceback)

    def _tell(self, sentence: str) -> None:
        if sentence not in self._seen:
            self._seen.add(sentence)
            self.told.emit(sentence)
