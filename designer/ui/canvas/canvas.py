"""The canvas: a view of the drawing with everything that stands on it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QPointF, Qt, Signal
from PySide6.QtGui import QCursor, QGuiApplication, QKeySequence
from PySide6.QtWidgets import QWidget

from designer.core import edits
from designer.core.fragment import part
from designer.core.message import message
from designer.files.refusal import Refusal
from designer.ui.canvas import blocks, clipboard, commands
from designer.ui.canvas.arranging import new_places
from designer.ui.canvas.breadcrumb import Breadcrumb
from designer.ui.canvas.controls import ZoomControls
from designer.ui.canvas.fix_popup import FixPopup
from designer.ui.canvas.geometry import SIZES, SNAP, Box, Point, Shape, Spot, bounds, snapped
from designer.ui.canvas.gestures import wire_ends
from designer.ui.canvas.hover_card import HoverCard
from designer.ui.canvas.levels import LIMITS
from designer.ui.canvas.minimap import Minimap
from designer.ui.canvas.plan import planned
from designer.ui.canvas.quick_add import QuickAdd
from designer.ui.canvas.rename import NameEditor
from designer.ui.canvas.stage import Stage
from designer.ui.canvas.view import View

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from PySide6.QtGui import QKeyEvent, QResizeEvent, QShowEvent

    from designer.core.document import Document
    from designer.core.editor import Editable
    from designer.core.graph import NodeId
    from designer.core.message import Message
    from designer.core.option import Raw
    from designer.layers.fixes import Fix
    from designer.ui.canvas.offers import Offer
    from designer.ui.theme import Theme

_EDGE = 14
_ASIDE = 32
_FIT_MARGIN = 32
_LEGIBLE = 0.75
_ZOOM_STEP = 1.25
_POPUP_WIDTH = 536
_FIXES_WIDTH = 380
_POPUP_ASIDE = 40


class Canvas(QWidget):
    """Shows the design of an editor, and lets one draw in it."""

    selectionChanged = Signal(object)
    """The ids of the selected nodes."""
    zoomChanged = Signal(float)
    said = Signal(str)
    """A sentence for the status bar."""
    enterWanted = Signal(int)
    """The block that a node is a use of is to be gone into."""
    outWanted = Signal(int)
    """How many blocks are to be stayed in; -1 for one less than now."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.stage = Stage()
        self.view = View(self.stage, theme)
        self.view.setParent(self)
        self.setFocusProxy(self.view)
        self.controls = ZoomControls(theme, self)
        self.minimap = Minimap(theme, self.stage, self.view, self)
        self.hover_card = HoverCard(theme, self.stage, self)
        self.breadcrumb = Breadcrumb(theme, self)
        self._quick_add: QuickAdd | None = None
        self._fix_popup: FixPopup | None = None
        self._name_editor: NameEditor | None = None
        self._fitted = False
        self._keys = self._key_table()
        self._connect()

    def _connect(self) -> None:
        stage, view = self.stage, self.view
        stage.selectionChanged.connect(self.selectionChanged.emit)
        stage.said.connect(self.said.emit)
        view.zoomChanged.connect(self.zoomChanged.emit)
        view.zoomChanged.connect(self.controls.show_zoom)
        view.addAsked.connect(self._add_at)
        view.fixesAsked.connect(self.show_fixes)
        view.enterAsked.connect(self.enterWanted.emit)
        self.breadcrumb.wanted.connect(self.outWanted.emit)
        view.wireHovered.connect(self.hover_card.show_wire)
        view.chipHovered.connect(self.hover_card.show_member)
        view.keyed.connect(self._key)
        self.controls.zoom_in.clicked.connect(self.zoom_in)
        self.controls.zoom_out.clicked.connect(self.zoom_out)
        self.controls.level.clicked.connect(self.zoom_to_100)
        self.controls.fit.clicked.connect(self.fit_all)
        self.theme.changed.connect(self._arrange)

    # The document

    @property
    def editor(self) -> Editable | None:
        """The editor whose design is shown."""
        return self.stage.editor

    def set_editor(self, editor: Editable | None) -> None:
        """Show another design, all of it, or none."""
        self.view.cancel()
        self.close_popups()
        self.stage.set_editor(editor)
        self._fitted = False
        if self.isVisible():
            self._first_fit()

    def _first_fit(self) -> None:
        if not self._fitted:
            self._fitted = True
            self.fit_all()
            self._keep_legible()

    def _keep_legible(self) -> None:
        """Show the top of a design that would be too small to read as a whole."""
        box = self.stage.drawing.bounds()
        if box is None or self.view.zoom >= _LEGIBLE:
            return
        self.view.set_zoom(_LEGIBLE)
        top = min(self.stage.drawing.cards.values(), key=lambda card: (card.box.y, card.id))
        half = self.view.shown().height / 2
        self.view.centre_on(Point(top.box.centre.x, box.y + half - _FIT_MARGIN / _LEGIBLE))

    def close_popups(self) -> None:
        """Close what stands on the canvas for the moment."""
        for popup in (self._quick_add, self._fix_popup):
            if popup is not None:
                popup.close_popup()
        if self._name_editor is not None:
            self._name_editor.give_up()

    # Selection

    @property
    def selection(self) -> list[NodeId]:
        """The selected nodes in stored order."""
        return self.stage.selection

    def select(self, ids: Iterable[NodeId]) -> None:
        """Select these nodes."""
        self.stage.select(ids)

    def select_all(self) -> None:
        """Select every node."""
        self.stage.select(self.stage.drawing.cards)

    def delete_selection(self) -> None:
        """Delete the selected nodes, or the selected wire."""
        commands.remove(self.stage)

    def take_out_selection(self) -> None:
        """Delete the selected nodes and join what they joined."""
        commands.take_out(self.stage)

    def lock_selection(self) -> None:
        """Lock the weights of the selected nodes, or train them where all are locked."""
        editor = self.editor
        if editor is not None and self.selection:
            nodes = [editor.document.graph.nodes[id] for id in self.selection]
            locked = not any(node.trainable for node in nodes)
            commands.set_trainable(self.stage, self.selection, locked)

    # What is in view

    @property
    def zoom(self) -> float:
        """The zoom in per cent."""
        return self.view.zoom * 100

    def zoom_to(self, percent: float) -> None:
        """Zoom about the middle."""
        self.view.set_zoom(percent / 100)

    def zoom_to_100(self) -> None:
        """Show everything in its own size."""
        self.zoom_to(100)

    def zoom_in(self) -> None:
        """One step closer."""
        self.view.set_zoom(self.view.zoom * _ZOOM_STEP)

    def zoom_out(self) -> None:
        """One step away."""
        self.view.set_zoom(self.view.zoom / _ZOOM_STEP)

    def fit_all(self) -> None:
        """Show the whole design; an empty one at 100 %."""
        box = self.stage.drawing.bounds()
        if box is None:
            self.view.set_zoom(1.0)
            self.view.centre_on(Point(0.0, 0.0))
        else:
            self.view.fit(box)

    def fit_selection(self) -> None:
        """Show the selected nodes; all where none is selected."""
        box = self.stage.drawing.bounds(self.selection) if self.selection else None
        if box is None:
            self.fit_all()
        else:
            self.view.fit(box)

    def go_to(self, node: NodeId) -> None:
        """Select a node and bring it to the middle, large enough to read."""
        card = self.stage.drawing.cards.get(node)
        if card is None:
            return
        self.stage.select((node,))
        if self.stage.zoom < LIMITS[1]:
            self.view.set_zoom(1.0)
        self.view.centre_on(card.box.centre)

    def view_state(self) -> dict[str, object]:
        """What is in view and selected, as plain data."""
        centre = self.view.shown().centre
        return {"zoom": self.view.zoom, "centre": list(centre), "selection": self.selection}

    def restore_view_state(self, state: Mapping[str, object]) -> None:
        """Show again what was in view; what does not fit this design is left out."""
        zoom, centre = state.get("zoom"), state.get("centre")
        if isinstance(zoom, (int, float)) and isinstance(centre, (list, tuple)):
            self._fitted = True
            self.view.set_zoom(float(zoom))
            self.view.centre_on(Point(*(float(part) for part in centre)))
        selection = state.get("selection")
        if isinstance(selection, (list, tuple)):
            self.stage.select(id for id in selection if isinstance(id, int))

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._arrange()

    def showEvent(self, event: QShowEvent) -> None:
        # Only now the viewport has its size.
        self._arrange()
        self._first_fit()

    def _arrange(self) -> None:
        """Put view and overlays into their places."""
        self.view.setGeometry(self.rect())
        edge = self.theme.px(_EDGE)
        self.controls.adjustSize()
        self.controls.move(edge, self.height() - self.controls.height() - edge)
        self.breadcrumb.adjustSize()
        self.breadcrumb.move(edge, edge)
        self.minimap.restyle()
        self.minimap.move(
            self.width() - self.minimap.width() - edge, self.height() - self.minimap.height() - edge
        )
        self.minimap.refresh()

    # Adding

    def quick_add(self, at: Point | None = None) -> None:
        """Search for a layer and add it at a place, else at the pointer.

        Where one node is selected the layer goes below it and is connected to its output.
        """
        self._add_at(self._pointed() if at is None else at, None)

    def _pointed(self) -> Point:
        local = self.view.viewport().mapFromGlobal(QCursor.pos())
        rect = self.view.viewport().rect()
        return self.view.place_at(QPointF(local if rect.contains(local) else rect.center()))

    def _add_at(self, place: Point, spot: Spot | None) -> None:
        if self.editor is None:
            return
        self.close_popups()
        if self._quick_add is None:
            self._quick_add = QuickAdd(self.theme, self.window())
            self._quick_add.chosen.connect(self._add_chosen)
            self._quick_add.considered.connect(self._plan)
            self._quick_add.closed.connect(self._unplan)
        ends = wire_ends(spot) if spot is not None else self._selected_ends()
        self._quick_add.offer(self.editor, ends, place, from_wire=spot is not None)
        width = self.theme.px(_POPUP_WIDTH)
        self._quick_add.open_at(self._popup_place(place, width), width)
        self._quick_add.field.setFocus(Qt.FocusReason.PopupFocusReason)
        self.minimap.set_covering(self._quick_add)

    def _popup_place(self, place: Point, width: int) -> QPoint:
        """Beside the layer that would be added: at its right, or where that has no room left."""
        plan = self.view.item.plan
        if plan is None:
            return self._window_point(place, 16)
        box = plan.card.box
        right = self._window_point(Point(box.right, box.y), 16)
        left = self._window_point(Point(box.x, box.y), -16 - width)
        return left if right.x() + width > self.window().width() and left.x() > 0 else right

    def _plan(self, offer: Offer | None) -> None:
        """Show where the layer would stand that is current in the search."""
        popup = self._quick_add
        if self.editor is None or popup is None or offer is None:
            self._unplan()
            return
        layer = commands.fresh_layer(self.editor, offer.kind, dict(offer.options))
        place = self._place_for(commands.shape_of(layer), popup.place, popup.ends)
        self.view.item.plan = planned(self.stage.drawing, layer, offer, place, popup.ends)
        self.view.refresh()

    def _unplan(self) -> None:
        self.view.item.plan = None
        self.minimap.set_covering(None)
        self.view.refresh()

    def _place_for(self, shape: Shape, place: Point, ends: commands.Ends) -> Point:
        """In the selected wire, or below the selected node, else where it was asked for."""
        drawing, popup = self.stage.drawing, self._quick_add
        if ends.source is not None and ends.target is not None:
            return commands.between(drawing, ends.target, SIZES[shape][1], place)[0]
        if ends.source is not None and popup is not None and not popup.from_wire:
            return commands.place_below(drawing, drawing.cards[ends.source.node], shape)
        wanted = Point(snapped(place.x), snapped(place.y))
        return commands.free_place(drawing, wanted, *SIZES[shape])

    def _selected_ends(self) -> commands.Ends:
        """Both ends of the selected wire, or the output of the one selected node."""
        wire = self.stage.marks.picked_wire
        if wire is not None:
            return commands.Ends(self.stage.drawing.wires[wire].edge.source, wire)
        if len(self.selection) == 1:
            outputs = self.stage.drawing.cards[self.selection[0]].outputs
            if outputs:
                return wire_ends(outputs[0])
        return commands.FREE

    def _add_chosen(
        self, kind: str, place: Point, ends: commands.Ends, options: dict[str, Raw]
    ) -> None:
        if self.editor is None or self._quick_add is None:
            return
        shape = commands.shape_of(commands.fresh_layer(self.editor, kind, options))
        if ends.source is not None and ends.target is not None:
            commands.insert(self.stage, kind, ends.target, place, options)
        else:
            commands.add(self.stage, kind, self._place_for(shape, place, ends), ends, options)
        self._reveal(self.selection)

    def _reveal(self, ids: Iterable[NodeId]) -> None:
        """Scroll as far as nodes are out of view."""
        box = self.stage.drawing.bounds(ids)
        shown = self.view.shown().grown(-24 / self.stage.zoom)
        if box is None:
            return
        dx = max(0.0, box.right - shown.right) or min(0.0, box.x - shown.x)
        dy = max(0.0, box.bottom - shown.bottom) or min(0.0, box.y - shown.y)
        if dx or dy:
            self.view.scroll_by(-dx * self.stage.zoom, -dy * self.stage.zoom)

    def _window_point(self, place: Point, aside: int) -> QPoint:
        """A place on the canvas as a point of the window, a little to its right."""
        local = self.view.viewportTransform().map(QPointF(*place)).toPoint()
        return self.view.viewport().mapTo(self.window(), local) + QPoint(aside, 0)

    def add_kind(self, kind: str) -> None:
        """Add a layer below the one selected node, connected to it; else in the middle."""
        if self.editor is None or kind not in self.editor.kinds:
            return
        layer = commands.fresh_layer(self.editor, kind)
        shape, drawing = commands.shape_of(layer), self.stage.drawing
        ends = self._selected_ends() if layer.inputs() else commands.FREE
        middle = self.view.shown().centre
        if ends.source is not None and ends.target is not None:
            commands.insert(self.stage, kind, ends.target, middle)
        elif ends.source is not None:
            place = commands.place_below(drawing, drawing.cards[ends.source.node], shape)
            commands.add(self.stage, kind, place, ends)
        else:
            wanted = Point(snapped(middle.x), snapped(middle.y))
            place = commands.free_place(drawing, wanted, *SIZES[shape])
            commands.add(self.stage, kind, place)
        self._reveal(self.selection)

    # Copies

    def copy(self) -> None:
        """Put the selected nodes on the clipboard, as text."""
        if self.editor is not None and self.selection:
            piece = part(self.editor.document, self.selection)
            QGuiApplication.clipboard().setText(clipboard.to_text(piece))

    def cut(self) -> None:
        """Put the selected nodes on the clipboard and delete them."""
        if self.selection:
            self.copy()
            commands.remove(self.stage)

    def can_paste(self) -> bool:
        """Whether the clipboard holds a part of a design."""
        return clipboard.is_part(QGuiApplication.clipboard().text())

    def paste(self) -> None:
        """Put in what is on the clipboard; say why where that cannot be."""
        if not self.can_paste():
            self.said.emit("The clipboard holds no layers.")
            return
        try:
            piece = clipboard.from_text(QGuiApplication.clipboard().text())
        except Refusal as refusal:
            self.said.emit(str(refusal))
            return
        self._paste(piece, message("Paste"))

    def duplicate(self) -> None:
        """Copy the selected nodes beside themselves."""
        if self.editor is not None and self.selection:
            self._paste(part(self.editor.document, self.selection), message("Duplicate"))

    def _paste(self, piece: Document, label: Message) -> None:
        # The layout has the places within blocks too.
        places = [piece.layout[id] for id in piece.graph.nodes if id in piece.layout]
        if not places:
            return
        around = bounds(places)
        shift = Point(_ASIDE, _ASIDE)
        if not self.view.shown().meets(around.moved(*shift).grown(1)):
            centre = self.view.shown().centre
            shift = Point(snapped(centre.x - around.centre.x), snapped(centre.y - around.centre.y))
        taken = {card.box.centre for card in self.stage.drawing.cards.values()}
        while any((x + shift.x, y + shift.y) in taken for x, y in places):
            shift = Point(shift.x + _ASIDE, shift.y + _ASIDE)
        commands.paste(self.stage, piece, *shift, label)

    def put_in(self, piece: Document, label: Message, place: Point | None = None) -> None:
        """Put a part of a design in at a place, in the middle where there is none."""
        centre = self.view.shown().centre if place is None else place
        wanted = Point(snapped(centre.x), snapped(centre.y))
        if place is None:
            wanted = commands.free_place(self.stage.drawing, wanted, *SIZES["block"])
        commands.paste(self.stage, piece, *wanted, label)
        self._reveal(self.selection)
        self.setFocus()

    # Fixes

    def show_fixes(self, node: NodeId | None = None) -> None:
        """Offer ways to mend the problems of a node, else of the selected one."""
        chosen = self.selection[0] if node is None and len(self.selection) == 1 else node
        if self.editor is None or chosen is None or chosen not in self.stage.drawing.cards:
            return
        from designer.layers.fixes import fixes

        found = fixes(self.editor, chosen)
        name = self.stage.drawing.cards[chosen].name
        if not found:
            self.said.emit(f"There is no fix to offer for {name}.")
            return
        self.close_popups()
        if self._fix_popup is None:
            self._fix_popup = FixPopup(self.theme, self.window())
            self._fix_popup.chosen.connect(self._apply_fix)
            self._fix_popup.closed.connect(self._unplan)
        self._fix_popup.offer(name, found)
        self._fix_popup.open_at(self._beside(chosen), self.theme.px(_FIXES_WIDTH))
        self.minimap.set_covering(self._fix_popup)

    def _beside(self, node: NodeId) -> QPoint:
        box, px = self.stage.drawing.cards[node].box, self.theme.px
        place = self._window_point(Point(box.right, box.y), px(_POPUP_ASIDE))
        edge = self.mapTo(self.window(), QPoint(self.width(), 0)).x()
        most = edge - px(_FIXES_WIDTH + _EDGE)
        least = place.x() - px(_POPUP_ASIDE - _EDGE)
        return QPoint(max(min(place.x(), most), least), place.y())

    def _apply_fix(self, fix: Fix) -> None:
        self.stage.apply(fix.edit, fix.label)

    # Names

    def rename_selected(self) -> None:
        """Edit the name of the one selected node where it stands."""
        if len(self.selection) != 1:
            return
        self.close_popups()
        card = self.stage.drawing.cards[self.selection[0]]
        self._name_editor = NameEditor(self.theme, self, card.id, card.name)
        self._name_editor.accepted.connect(self._renamed)
        self._name_editor.left.connect(self.view.setFocus)
        self._name_editor.place(self._on_screen(card.box))

    def _on_screen(self, box: Box) -> tuple[QPointF, QPointF]:
        transform = self.view.viewportTransform()
        return transform.map(QPointF(box.x, box.y)), transform.map(QPointF(box.right, box.bottom))

    def _renamed(self, node: NodeId, name: str) -> None:
        if node in self.stage.drawing.cards:
            commands.rename(self.stage, node, name)

    # Keys

    def _key_table(self) -> dict[str, Callable[[], object]]:
        table: dict[str, Callable[[], object]] = {
            "Tab": self.quick_add,
            "Shift+A": self.quick_add,
            "Del": self.delete_selection,
            "Backspace": self.delete_selection,
            "Shift+Del": self.take_out_selection,
            "Alt+Del": self.take_out_selection,
            "Ctrl+A": self.select_all,
            "Ctrl+C": self.copy,
            "Ctrl+X": self.cut,
            "Ctrl+V": self.paste,
            "Ctrl+D": self.duplicate,
            "F2": self.rename_selected,
            "F": self.fit_selection,
            ".": self.fit_selection,
            "Home": self.fit_all,
            "Shift+1": self.fit_all,
            "!": self.fit_all,
            "Shift+!": self.fit_all,
            "Ctrl+0": self.zoom_to_100,
            "Ctrl++": self.zoom_in,
            "Ctrl+=": self.zoom_in,
            "Ctrl+-": self.zoom_out,
            "Alt+Return": self.show_fixes,
            "Alt+Enter": self.show_fixes,
            "L": self.lock_selection,
            "Ctrl+L": self.arrange,
            "Ctrl+G": self.group_selection,
            "Ctrl+Shift+G": self.unpack_selection,
            "Return": self.enter_selection,
            "Enter": self.enter_selection,
            "Esc": self.cancel,
        }
        for name, (dx, dy) in _ARROWS.items():
            table[name] = partial(self._walk, name.lower())
            table[f"Shift+{name}"] = partial(commands.nudge, self.stage, dx, dy)
        return {QKeySequence(key).toString(): act for key, act in table.items()}

    def _key(self, event: QKeyEvent) -> None:
        keys = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        name = QKeySequence(int(event.key()) | int(keys.value)).toString()
        act = self._keys.get(name)
        if act is not None and self.editor is not None:
            event.accept()
            act()

    def cancel(self) -> None:
        """Give up what is going on; where nothing is, the selection, and then the block."""
        if self.view.cancel():
            return
        if self.selection or self.stage.marks.picked_wire is not None:
            self.stage.select(())
        else:
            self.outWanted.emit(-1)

    # Arranging

    def arrange(self) -> None:
        """Arrange the selected nodes, all where none or one is selected."""
        drawing = self.stage.drawing
        chosen = self.selection if len(self.selection) > 1 else list(drawing.cards)
        places = new_places(drawing, chosen)
        if places:
            self.stage.apply(edits.move(places), message("Arrange"))
        if len(chosen) == len(drawing.cards):
            self.fit_all()
            self._keep_legible()

    # Blocks

    def enter_selection(self) -> None:
        """Go into the block that the one selected node is a use of."""
        if len(self.selection) == 1:
            self.enterWanted.emit(self.selection[0])

    def group_selection(self) -> None:
        """Make a block of the selected nodes."""
        blocks.make_block(self.stage)

    def unpack_selection(self) -> None:
        """Put the layers of the selected block in its place."""
        blocks.unpack_block(self.stage)

    def fold_selection(self) -> None:
        """Fold the selected chain into one repeated block."""
        blocks.fold_chain(self.stage)

    def unfold_selection(self) -> None:
        """Put single uses in place of the selected repeated block."""
        blocks.unfold_block(self.stage)

    def own_selection(self) -> None:
        """Give the selected use a block of its own."""
        blocks.own_block(self.stage)

    def share_selection(self) -> None:
        """Let the selected layers be one module that is called several times."""
        blocks.share_module(self.stage)

    def unshare_selection(self) -> None:
        """Give the selected layers modules of their own again."""
        blocks.own_module(self.stage)

    def _walk(self, direction: str) -> None:
        drawing = self.stage.drawing
        if not self.selection:
            first = min(drawing.cards, default=None)
            found = first
        else:
            found = commands.neighbour(drawing, self.selection[-1], direction)
        if found is not None:
            self.stage.select((found,))
            self.stage.marks.focused = found
            self._reveal((found,))
            self.view.refresh()


_ARROWS = {"Left": (-SNAP, 0), "Right": (SNAP, 0), "Up": (0, -SNAP), "Down": (0, SNAP)}
