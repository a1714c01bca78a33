"""The one door for edits: new document, analysis, history, and a notice to those who listen."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from designer.core.analysis import Analysis, Totals
from designer.core.document import Delta, Document, drafted, settled
from designer.core.edits import Refused
from designer.core.network import CycleError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from designer.core.document import Edit
    from designer.core.finding import Finding, Problem
    from designer.core.graph import NodeId
    from designer.core.kinds import Kinds
    from designer.core.message import Message


@dataclass(frozen=True, slots=True)
class Step:
    """One entry of the history: the document after it, and what it did to the parameters."""

    label: Message
    delta: Delta
    before: Document
    after: Document
    parameters: int
    gesture: Hashable = None


@dataclass(frozen=True, slots=True)
class Notice:
    """What listeners hear: the Delta of the document, and the nodes whose findings changed."""

    delta: Delta
    nodes: frozenset[NodeId]


Listener: TypeAlias = "Callable[[Notice], None]"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Preview:
    """What an edit would give: totals before and after, and findings and problems after it."""

    delta: Delta
    before: Totals
    after: Totals
    findings: dict[NodeId, Finding]
    problems: tuple[Problem, ...]

    @property
    def parameters(self) -> int:
        """The change in parameters."""
        return self.after.parameters - self.before.parameters


class Editable(ABC):
    """A graph that is worked on: a whole design, or a block within one.

    An edit that raises Refused has changed nothing.
    """

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    @property
    @abstractmethod
    def document(self) -> Document:
        """The design, or the block as if it were one."""

    @property
    @abstractmethod
    def analysis(self) -> Analysis:
        """What is known of its layers."""

    @property
    @abstractmethod
    def kinds(self) -> Kinds:
        """The kinds of layers that it may have: the catalogue's, and the document's own."""

    @property
    @abstractmethod
    def seconds(self) -> float:
        """How long the analysis took to follow the last edit."""

    @abstractmethod
    def apply(self, edit: Edit, label: Message, gesture: Hashable = None) -> Notice | None:
        """Make an edit as one step of the history; None where it changes nothing.

        Steps in a row with one gesture (a drag, a number being scrubbed) become one. Raises
        Refused where it cannot be made.
        """

    @abstractmethod
    def end_gesture(self) -> None:
        """Let the next edit begin a step of its own, whatever its gesture."""

    @abstractmethod
    def preview(self, edit: Edit) -> Preview:
        """What an edit would give; the document stays as it is. Raises Refused like `apply`."""

    def listen(self, listener: Listener) -> None:
        """Call `listener` after every change of the document."""
        self._listeners.append(listener)

    def unlisten(self, listener: Listener) -> None:
        """Stop calling `listener`."""
        self._listeners.remove(listener)

    def _tell(self, notice: Notice) -> None:
        for listener in list(self._listeners):
            listener(notice)


class Editor(Editable):
    """A document with its analysis and history.

    `steps[:place]` are done, the rest can be redone.
    """

    def __init__(self, document: Document) -> None:
        super().__init__()
        self._document = document
        self._analysis = Analysis(document)
        self.steps: list[Step] = []
        self.place = 0
        self._seconds = 0.0
        self._saved: Document = document

    @property
    def document(self) -> Document:
        return self._document

    @property
    def analysis(self) -> Analysis:
        return self._analysis

    @property
    def kinds(self) -> Kinds:
        return self._analysis.kinds

    @property
    def seconds(self) -> float:
        return self._seconds

    @property
    def modified(self) -> bool:
        """Whether the document differs from the one that was last marked as saved."""
        return self.document is not self._saved and self.document != self._saved

    def mark_saved(self, document: Document | None = None) -> None:
        """Take the present document, or a given one, for the one on disk."""
        self._saved = self.document if document is None else document

    def apply(self, edit: Edit, label: Message, gesture: Hashable = None) -> Notice | None:
        before, counted = self.document, self.analysis.counted.parameters
        document, delta = drafted(before, edit)
        if not delta:
            return None
        notice = self._go(document, delta)
        change = self.analysis.counted.parameters - counted
        self._record(Step(label, delta, before, document, change, gesture))
        self._tell(notice)
        return notice

    def _record(self, step: Step) -> None:
        del self.steps[self.place :]
        last = self.steps[-1] if self.steps else None
        if last is not None and step.gesture is not None and last.gesture == step.gesture:
            merged = Step(
                step.label,
                merge(last.delta, step.delta),
                last.before,
                step.after,
                last.parameters + step.parameters,
                step.gesture,
            )
            self.steps[-1:] = [merged] if merged.delta else []
        else:
            self.steps.append(step)
        self.place = len(self.steps)

    def end_gesture(self) -> None:
        if self.steps and self.place == len(self.steps):
            last = self.steps[-1]
            self.steps[-1] = Step(last.label, last.delta, last.before, last.after, last.parameters)

    def _go(self, document: Document, delta: Delta) -> Notice:
        start = perf_counter()
        try:
            changed = self.analysis.update(document, delta)
        except CycleError as error:
            raise Refused(error.message) from error
        except BaseException:
            # A rule broke midway. The document is still the old one, and so is a new analysis.
            self._analysis = Analysis(self.document)
            raise
        self._seconds = perf_counter() - start
        self._document = document
        return Notice(delta, frozenset(changed))

    @property
    def undoable(self) -> Message | None:
        """The label of the step that undo would take back."""
        return self.steps[self.place - 1].label if self.place else None

    @property
    def redoable(self) -> Message | None:
        """The label of the step that redo would make."""
        return self.steps[self.place].label if self.place < len(self.steps) else None

    def undo(self) -> None:
        """Take the last step back; nothing happens where there is none."""
        if self.place:
            step = self.steps[self.place - 1]
            self.place -= 1
            self._tell(self._go(step.before, step.delta.inverse()))

    def redo(self) -> None:
        """Make the next step again; nothing happens where there is none."""
        if self.place < len(self.steps):
            step = self.steps[self.place]
            self.place += 1
            self._tell(self._go(step.after, step.delta))

    def preview(self, edit: Edit) -> Preview:
        before = self.analysis.totals()
        return self.previewed(edit, lambda notice: look(self.analysis, before, notice))

    def previewed(self, edit: Edit, see: Callable[[Notice], T]) -> T:
        """What `see` gives while an edit is made, which is taken back then."""
        present = self.document
        document, delta = drafted(present, edit)
        notice = self._go(document, delta)
        try:
            return see(notice)
        finally:
            self._go(present, delta.inverse())


def look(analysis: Analysis, before: Totals, notice: Notice) -> Preview:
    """What an edit has given, which the analysis has followed; `before` are the totals then."""
    findings = analysis.findings
    return Preview(
        notice.delta,
        before,
        analysis.totals(),
        {id: findings[id] for id in notice.nodes if id in findings},
        tuple(analysis.problems()),
    )


def merge(first: Delta, second: Delta) -> Delta:
    """Two Deltas in a row as one, without what came back to its old value."""
    changes = dict(first.changes)
    for key, change in second.changes.items():
        old = changes[key].old if key in changes else change.old
        changes[key] = change._replace(old=old)
    return Delta(settled(changes))
