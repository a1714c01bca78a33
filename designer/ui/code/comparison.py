"""The comparison with PyTorch beside the window: it runs in a thread and can be stopped."""

from __future__ import annotations

import threading
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QObject, QTimer, Signal

if TYPE_CHECKING:
    from subprocess import Popen

    from designer.core.document import Document
    from designer.export.check import Report

PERIOD = 50
"""Milliseconds between two looks for a result."""


class Run:
    """One comparison in a thread of its own, which touches nothing of Qt."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.results: SimpleQueue[Report | Exception] = SimpleQueue()
        self._lock = threading.Lock()
        self._child: Popen[bytes] | None = None
        self._stopped = False
        threading.Thread(target=self._work, name="comparison", daemon=True).start()

    def _work(self) -> None:
        # It brings the analysis and networkx, which the window does without until it is painted.
        from designer.export.check import check

        try:
            self.results.put(check(self.document, started=self._started))
        except Exception as error:  # noqa: BLE001  (raised again in the window's own thread)
            self.results.put(error)

    def _started(self, child: Popen[bytes]) -> None:
        with self._lock:
            self._child = child
            if self._stopped:
                child.kill()

    def stop(self) -> None:
        """End the child process, now or as soon as it is there."""
        with self._lock:
            self._stopped = True
            if self._child is not None:
                self._child.kill()


class Comparison(QObject):
    """At most one comparison at a time; a stopped one reports nothing."""

    finished = Signal(object, object)
    """The Document that was compared, and the Report."""

    def __init__(self) -> None:
        super().__init__()
        self._run: Run | None = None
        self._look = QTimer(self)
        self._look.setInterval(PERIOD)
        self._look.timeout.connect(self._collect)
        app = QCoreApplication.instance()
        assert app is not None
        app.aboutToQuit.connect(self.stop)

    def running(self) -> bool:
        """Whether a comparison is under way."""
        return self._run is not None

    def start(self, document: Document) -> None:
        """Compare the export of a document, in place of what is under way."""
        self.stop()
        self._run = Run(document)
        self._look.start()

    def stop(self) -> None:
        """End the comparison, if there is one, and forget it."""
        self._look.stop()
        if self._run is not None:
            self._run.stop()
            self._run = None

    def _collect(self) -> None:
        run = self._run
        assert run is not None
        try:
            result = run.results.get_nowait()
        except Empty:
            return
        self._run = None
        self._look.stop()
        if isinstance(result, Exception):
            raise result
        self.finished.emit(run.document, result)
