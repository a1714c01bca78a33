"""The view of the canvas: pointer, wheel and keys become gestures and commands."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QHelpEvent, QNativeGestureEvent, QPainter
from PySide6.QtWidgets import QFrame, QGraphicsScene, QGraphicsView, QToolTip

from designer.ui.canvas import commands
from designer.ui.canvas.geometry import Box, Point, Spot
from designer.ui.canvas.gestures import (
    WIRE_REACH,
    DropLayer,
    Gesture,
    MoveNodes,
    Pan,
    Pointer,
    PullWire,
    RubberBand,
)
from designer.ui.canvas.ground import Ground
from designer.ui.canvas.item import EXTENT, BatchItem
from designer.ui.canvas.levels import LEAST_ZOOM, LIMITS, MOST_ZOOM
from designer.ui.dragging import MIME_LIBRARY
from designer.ui.layer_search import MIME_KIND

if TYPE_CHECKING:
    from PySide6.QtGui import (
        QDragEnterEvent,
        QDragLeaveEvent,
        QDragMoveEvent,
        QDropEvent,
        QFocusEvent,
        QKeyEvent,
        QMouseEvent,
        QWheelEvent,
    )

    from designer.core.graph import NodeId
    from designer.ui.canvas.cards import Member
    from designer.ui.canvas.stage import Stage
    from designer.ui.theme import Theme

PORT_REACH = 12
"""Half the side of a port's hit area, in pixels of the screen."""

_WHEEL_STEP = 1.2
_FIT_MARGIN = 40
_CUT = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier


class View(QGraphicsView):
    """Shows the batch item; what happens to the document it leaves to gestures and commands."""

    zoomChanged = Signal(float)
    enterAsked = Signal(int)
    libraryDropped = Signal(str, object)
    """The file of a block of the library, and the place where it was dropped."""
    """A block was asked to be gone into."""
    addAsked = Signal(object, object)
    """A place on the canvas and the port (or None) that a new layer is wanted for."""
    fixesAsked = Signal(int)
    wireHovered = Signal(object)
    chipHovered = Signal(object, object)
    """The use of a block and the layer in it whose chip is pointed at; or None twice."""
    scrolled = Signal()
    keyed = Signal(object)
    """A key press that is not the view's own business; accepted by who takes it."""

    def __init__(self, stage: Stage, theme: Theme) -> None:
        super().__init__()
        self._stage = stage
        self._theme = theme
        self._zoom = 1.0
        self._space = False
        self._button = Qt.MouseButton.NoButton
        self.item = BatchItem(stage, theme)
        self._ground = Ground(theme)
        scene = QGraphicsScene(self)
        scene.setItemIndexMethod(QGraphicsScene.ItemIndexMethod.NoIndex)
        scene.setSceneRect(-EXTENT, -EXTENT, 2 * EXTENT, 2 * EXTENT)
        scene.addItem(self.item)
        self._scene = scene
        self.setScene(scene)
        self._set_up()
        stage.changed.connect(self.refresh)
        # A gesture stands on the drawing as it was: undo in its middle gives it up.
        stage.aboutToEdit.connect(self.cancel)
        theme.changed.connect(self._restyle)
        self._restyle()

    def _set_up(self) -> None:
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTransformationAnchor(QGraphicsView.ViewportAnchor.NoAnchor)
        self.setResizeAnchor(QGraphicsView.ViewportAnchor.AnchorViewCenter)
        self.setViewportUpdateMode(QGraphicsView.ViewportUpdateMode.MinimalViewportUpdate)
        self.setOptimizationFlag(QGraphicsView.OptimizationFlag.DontSavePainterState)
        self.setAcceptDrops(True)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        # Letter keys have to work while an input method is on.
        self.setAttribute(Qt.WidgetAttribute.WA_InputMethodEnabled, False)
        self.setAccessibleName("Canvas")

    def _restyle(self) -> None:
        self.setBackgroundBrush(self._theme.colour("canvas"))
        self.set_zoom(self._zoom)
        self.refresh()

    def refresh(self) -> None:
        """Paint everything anew."""
        self.viewport().update()

    # Zoom and place

    @property
    def zoom(self) -> float:
        """1.0 at 100 %."""
        return self._zoom

    def set_zoom(self, zoom: float, keep: QPointF | None = None) -> None:
        """Zoom, and leave what is at `keep` of the viewport (else its middle) where it is."""
        anchor = QPointF(self.viewport().rect().center()) if keep is None else keep
        before = self.place_at(anchor)
        self._zoom = min(max(zoom, LEAST_ZOOM), MOST_ZOOM)
        self._stage.zoom = self._zoom * self._theme.scale
        self.resetTransform()
        self.scale(self._stage.zoom, self._stage.zoom)
        after = self.place_at(anchor)
        scale = self._stage.zoom
        self.scroll_by((after.x - before.x) * scale, (after.y - before.y) * scale)
        self.zoomChanged.emit(self._zoom)
        self.scrolled.emit()
        self.refresh()

    def scroll_by(self, dx: float, dy: float) -> None:
        """Move what is shown by pixels of the screen."""
        across, down = self.horizontalScrollBar(), self.verticalScrollBar()
        across.setValue(across.value() - round(dx))
        down.setValue(down.value() - round(dy))

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        super().scrollContentsBy(dx, dy)
        if not self._stage.drawing.cards:
            self.refresh()  # The hint stays in the middle.
        self.scrolled.emit()

    def place_at(self, point: QPointF) -> Point:
        """The place on the canvas under a point of the viewport, not rounded to pixels."""
        found = self.viewportTransform().inverted()[0].map(point)
        return Point(found.x(), found.y())

    def shown(self) -> Box:
        """The part of the canvas that is in view."""
        rect = self.viewport().rect()
        a = self.place_at(QPointF(rect.topLeft()))
        return Box(a.x, a.y, rect.width() / self._stage.zoom, rect.height() / self._stage.zoom)

    def centre_on(self, place: Point) -> None:
        """Bring a place to the middle."""
        now = self.shown().centre
        scale = self._stage.zoom
        self.scroll_by((now.x - place.x) * scale, (now.y - place.y) * scale)

    def fit(self, box: Box, most: float = 1.0) -> None:
        """Show a whole box, at `most` this large."""
        room = self.viewport().rect()
        across = max(room.width() - 2 * _FIT_MARGIN, 40) / max(box.width, 1)
        down = max(room.height() - 2 * _FIT_MARGIN, 40) / max(box.height, 1)
        self.set_zoom(min(across, down, most * self._theme.scale) / self._theme.scale)
        self.centre_on(box.centre)

    # The pointer

    def _pointer(self, event: QMouseEvent | QDropEvent) -> Pointer:
        at = event.position()
        return Pointer(self.place_at(at), Point(at.x(), at.y()), event.modifiers())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._show_focus(None)
        if self.item.gesture is None and self._stage.editor is not None:
            self._button = event.button()
            self._begin(self._gesture_for(event))
        event.accept()

    def _begin(self, gesture: Gesture | None) -> None:
        self.item.gesture = gesture
        self._hover(None, None)
        if gesture is not None and gesture.cursor is not None:
            self.viewport().setCursor(gesture.cursor)
        self.refresh()

    def _gesture_for(self, event: QMouseEvent) -> Gesture | None:
        at, button = self._pointer(event), event.button()
        left = button == Qt.MouseButton.LeftButton
        if button == Qt.MouseButton.MiddleButton or (left and self._space):
            return Pan(at, self.scroll_by)
        return self._left_gesture(at) if left else None

    def _left_gesture(self, at: Pointer) -> Gesture | None:
        stage = self._stage
        bubble = self.item.bubble
        if bubble is not None and bubble.bulb.contains(at.place):
            self.fixesAsked.emit(bubble.node)
            return None
        spot, card = self._spot_at(at.place), stage.drawing.card_at(at.place)
        wire = stage.drawing.wire_at(at.place, WIRE_REACH / stage.zoom)
        if wire is not None and card is None and self._cuts(at.keys):
            commands.cut(stage, wire)
            return None
        if spot is not None:
            return PullWire(stage, at, spot, self.addAsked.emit)
        if card is not None:
            return self._grab(at, card.id)
        return self._empty(at, wire)

    @staticmethod
    def _cuts(keys: Qt.KeyboardModifier) -> bool:
        return bool(keys & Qt.KeyboardModifier.AltModifier) or keys & _CUT == _CUT

    def _spot_at(self, place: Point) -> Spot | None:
        if self._stage.zoom < LIMITS[1]:
            return None
        return self._stage.drawing.spot_at(place, PORT_REACH / self._stage.zoom)

    def _grab(self, at: Pointer, id: NodeId) -> Gesture | None:
        stage = self._stage
        if at.keys & Qt.KeyboardModifier.ShiftModifier:
            stage.toggle(id)
            return None
        if id not in stage.marks.selected:
            stage.select((id,))
        member = self._member_at(at.place)
        stage.pick_chip(id, member.id if member is not None else None)
        return MoveNodes(stage, at, id)

    def _empty(self, at: Pointer, wire: object) -> Gesture | None:
        if wire is not None:
            self._stage.pick_wire(wire)  # type: ignore[arg-type]
            return None
        return RubberBand(self._stage, at)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = self._pointer(event)
        if self.item.gesture is not None:
            self.item.gesture.move(at)
            self.refresh()
        elif not event.buttons():
            self._point_at(at.place)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() != self._button:
            return
        gesture, self.item.gesture = self.item.gesture, None
        if gesture is not None:
            gesture.end(self._pointer(event))
        self._set_cursor()
        self.refresh()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        at = self._pointer(event)
        card, spot = self._stage.drawing.card_at(at.place), self._spot_at(at.place)
        if event.button() != Qt.MouseButton.LeftButton or self._stage.editor is None or spot:
            self.mousePressEvent(event)
        elif card is None:
            self.addAsked.emit(at.place, None)
        elif card.block:
            self._enter(card.id, self._member_at(at.place))
        else:
            self.mousePressEvent(event)

    def _enter(self, use: NodeId, member: Member | None) -> None:
        """Go into a block; a layer on whose chip that was done is selected there."""
        self.enterAsked.emit(use)
        if member is not None:
            self._stage.select((member.id,))

    def _member_at(self, place: Point) -> Member | None:
        """The layer of a block whose chip is at a place, as far as chips are drawn."""
        card = self._stage.drawing.card_at(place)
        shown = self._stage.zoom >= LIMITS[2]
        return card.member_at(place) if card is not None and shown else None

    def cancel(self) -> bool:
        """Give up the gesture that is going on; False where there is none."""
        gesture, self.item.gesture = self.item.gesture, None
        if gesture is None:
            return False
        gesture.cancel()
        self._set_cursor()
        self.refresh()
        return True

    def _point_at(self, place: Point) -> None:
        """Pick out what is under the pointer."""
        card = self._stage.drawing.card_at(place)
        spot = self._spot_at(place)
        wire = None
        if card is None and spot is None:
            wire = self._stage.drawing.wire_at(place, WIRE_REACH / self._stage.zoom)
        self._hover(card.id if card is not None else None, wire)
        bubble = self.item.bubble
        member = self._member_at(place)
        self.chipHovered.emit(card.id if card and member else None, member)
        on_bulb = bubble is not None and bubble.bulb.contains(place)
        hand = Qt.CursorShape.PointingHandCursor
        self.viewport().setCursor(hand if spot or member or on_bulb else Qt.CursorShape.ArrowCursor)

    def _hover(self, node: NodeId | None, wire: object) -> None:
        marks = self._stage.marks
        if (marks.hovered, marks.hovered_wire) == (node, wire):
            return
        marks.hovered = node
        marks.hovered_wire = wire  # type: ignore[assignment]
        self._stage.settle_bubble()
        self.wireHovered.emit(wire)
        self.refresh()

    def _set_cursor(self) -> None:
        open_hand = Qt.CursorShape.OpenHandCursor
        self.viewport().setCursor(open_hand if self._space else Qt.CursorShape.ArrowCursor)

    def leaveEvent(self, event: QEvent) -> None:
        if self.item.gesture is None:
            self._hover(None, None)
        super().leaveEvent(event)

    # Wheel and touch

    def wheelEvent(self, event: QWheelEvent) -> None:
        pixels, angle = event.pixelDelta(), event.angleDelta()
        zooming = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if not pixels.isNull() and not zooming:
            self.scroll_by(pixels.x(), pixels.y())
        else:
            steps = (angle.y() or angle.x()) / 120
            self.set_zoom(self._zoom * _WHEEL_STEP**steps, event.position())
        event.accept()

    def viewportEvent(self, event: QEvent) -> bool:
        pinch = Qt.NativeGestureType.ZoomNativeGesture
        if isinstance(event, QNativeGestureEvent) and event.gestureType() == pinch:
            self.set_zoom(self._zoom * (1 + event.value()), event.position())
            return True
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            self._tell(event)
            return True
        return super().viewportEvent(event)

    def _tell(self, event: QHelpEvent) -> None:
        """Show the name of the port, or of the node, under the pointer."""
        place = self.place_at(QPointF(event.pos()))
        spot, card = self._spot_at(place), self._stage.drawing.card_at(place)
        text = spot.port if spot is not None else card.name if card is not None else ""
        # As markup, so that a name that looks like markup is shown as it is.
        shown = f"<span>{html.escape(text)}</span>" if text else ""
        QToolTip.showText(event.globalPos(), shown, self)

    # Dropping layers from the palette

    def _kind(self, event: QDropEvent) -> str | None:
        data = event.mimeData()
        if self._stage.editor is None or not data.hasFormat(MIME_KIND):
            return None
        kind = bytes(data.data(MIME_KIND).data()).decode("utf-8", "replace")
        return kind if kind in self._stage.editor.kinds else None

    def _file(self, event: QDropEvent) -> str:
        """The block of the library that is dragged; empty where it is something else."""
        if self._stage.editor is None:
            return ""
        return bytes(event.mimeData().data(MIME_LIBRARY).data()).decode("utf-8", "replace")

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        kind = self._kind(event)
        if self._file(event):
            event.acceptProposedAction()
            return
        if kind is None:
            event.ignore()
            return
        self.cancel()
        self._begin(DropLayer(self._stage, self._pointer(event), kind))
        event.acceptProposedAction()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        if isinstance(self.item.gesture, DropLayer):
            self.item.gesture.move(self._pointer(event))
            self.refresh()
            event.acceptProposedAction()
        elif self._file(event):
            event.acceptProposedAction()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self.cancel()

    def dropEvent(self, event: QDropEvent) -> None:
        gesture = self.item.gesture
        if isinstance(gesture, DropLayer):
            self.item.gesture = None
            gesture.move(self._pointer(event))
            gesture.end(self._pointer(event))
            event.acceptProposedAction()
            self.setFocus(Qt.FocusReason.MouseFocusReason)
            self.refresh()
        elif self._file(event):
            event.acceptProposedAction()
            self.setFocus(Qt.FocusReason.MouseFocusReason)
            self.libraryDropped.emit(self._file(event), self._pointer(event).place)

    # Keys

    def focusNextPrevChild(self, forward: bool) -> bool:
        # Tab adds a layer here; Shift+Tab still leaves the canvas.
        return False if forward else super().focusNextPrevChild(forward)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space and not event.modifiers():
            if not event.isAutoRepeat() and self.item.gesture is None:
                self._space = True
                self._set_cursor()
            return
        event.ignore()
        self.keyed.emit(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space and not event.isAutoRepeat():
            self._space = False
            self._set_cursor()
        else:
            super().keyReleaseEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self._space = False
        self._show_focus(None)
        super().focusOutEvent(event)

    def _show_focus(self, node: NodeId | None) -> None:
        if self._stage.marks.focused != node:
            self._stage.marks.focused = node
            self.refresh()

    # The ground

    def drawBackground(self, painter: QPainter, rect: QRectF | object) -> None:
        assert isinstance(rect, QRectF)
        painter.fillRect(rect, self._theme.colour("canvas"))
        self._ground.paint(painter, rect, self._stage.zoom)
