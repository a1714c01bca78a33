"""Painting nodes at each level of detail."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainterPath, QPen

from designer.ui.canvas import labels
from designer.ui.canvas.geometry import (
    HEADER,
    PITCH,
    RADII,
    STACKED,
    Box,
    chip_boxes,
)
from designer.ui.canvas.ink import point_of, rect_of
from designer.ui.canvas.levels import Level

if TYPE_CHECKING:
    from designer.ui.canvas.cards import Card
    from designer.ui.canvas.geometry import Spot
    from designer.ui.canvas.ink import Ink

MIDDLE_NAME = 11.0
"""Pixels on the screen that a name has at least between 40 and 70 %."""


def paint_card(ink: Ink, card: Card) -> None:
    """Draw a node with its ports and states."""
    if ink.level is Level.SMALL:
        _chip(ink, card)
    else:
        _body(ink, card)
        _content(ink, card)
        _ports(ink, card)
        _badge(ink, card)


def area_of(ink: Ink, card: Card) -> Box:
    """What `paint_card` may paint: the node with its ports, badge and labels."""
    box = card.box.grown(16, 26)
    if card.shape == "merge" and card.caption:
        return box._replace(width=box.width + ink.width(card.caption, "hint") + 12)
    return box


def _border(ink: Ink, card: Card) -> QPen:
    if card.state == "error":
        return ink.pen("error", 1.5)
    if card.state == "warning":
        return ink.pen("warn", 1.5)
    return ink.pen("text-3" if ink.marks.hovered == card.id else "node-border", 1)


def _body(ink: Ink, card: Card) -> None:
    painter, box = ink.painter, card.box
    if card.shape not in ("full", "block"):
        ink.box(box, RADII[card.shape], f"h-{card.family}", _border(ink, card))
        return
    for down, inset in STACKED[::-1] if card.copies else ():
        edge = Box(box.x + inset, box.y + down, box.width - 2 * inset, box.height)
        ink.box(edge, RADII["full"], "node", ink.pen("node-border", 1))
    ink.box(box, RADII["full"], "node")
    painter.save()
    painter.translate(box.x, box.y)
    painter.fillPath(_header(box.width), ink.theme.tint(card.family))
    painter.restore()
    ink.box(box, RADII["full"], "", _border(ink, card))


@lru_cache(maxsize=64)
def _header(width: float) -> QPainterPath:
    """The tinted head of a full node: round above, straight below."""
    whole = QPainterPath()
    whole.addRoundedRect(QRectF(0.5, 0.5, width - 1, 2 * HEADER), 7.5, 7.5)
    below = QPainterPath()
    below.addRect(QRectF(0, HEADER, width, 2 * HEADER))
    return whole.subtracted(below)


def _content(ink: Ink, card: Card) -> None:
    if card.shape == "merge":
        _merge(ink, card)
    elif ink.level is Level.MIDDLE:
        _middle(ink, card)
    elif card.shape == "full":
        _full(ink, card)
    elif card.shape == "block":
        _block(ink, card)
    else:
        _compact(ink, card)


def _full(ink: Ink, card: Card) -> None:
    box = card.box
    ink.icon(box.x + 10, box.y + 6, card.icon, f"f-{card.family}")
    taken = ink.text_right(box.right - 10, box.y + 18.2, card.title, ("small", "text-2"))
    if card.locked:
        taken += 20
        ink.icon(box.right - 10 - taken + 3, box.y + 7, "lock", "text-2", 13)
    room = box.width - 34 - taken - 22
    name = ink.elided(card.name, "body-strong", room)
    ink.text(box.x + 34, box.y + 18.5, name, ("body-strong", "text"))
    left = _numbers(ink, card, box.y + 46)
    caption = ink.elided(card.caption, "mono", left - box.x - 20)
    ink.text(box.x + 10, box.y + 46, caption, ("mono", "text-2"))
    _bar(ink, card, Box(box.x + 10, box.y + 55, box.width - 20, 3))


def _block(ink: Ink, card: Card) -> None:
    box = card.box
    ink.icon(box.x + 10, box.y + 6, card.icon, f"f-{card.family}")
    ink.icon(box.right - 26, box.y + 6, "open", "text-2", 16)
    taken = ink.text_right(box.right - 34, box.y + 18.2, card.title, ("small", "text-3"))
    room = box.width - 34 - taken - 50 - _pill_width(ink, card.copies)
    name = ink.elided(card.name, "body-strong", room)
    ink.text(box.x + 34, box.y + 18.5, name, ("body-strong", "text"))
    _pill(ink, box.x + 34 + ink.width(name, "body-strong") + 8, box.y + 14.5, card.copies)
    _chips(ink, card)
    left = _numbers(ink, card, box.y + 84)
    if ink.width(card.caption, "hint") <= left - box.x - 20:
        ink.text(box.x + 10, box.y + 84, card.caption, ("hint", "text-2"))
    _bar(ink, card, Box(box.x + 10, box.y + 94, box.width - 20, 3))


def _pill_width(ink: Ink, text: str) -> float:
    return ink.width(text, "small") + 20 if text else 0.0


def _pill(ink: Ink, x: float, middle: float, text: str) -> None:
    """How many copies there are."""
    if not text:
        return
    width, high = ink.width(text, "small") + 14, 17 / min(1.0, ink.zoom / 0.8)
    ink.box(Box(x, middle - high / 2, width, high), high / 2, "g-block")
    ink.text(x + 7, middle + high * 0.23, text, ("small", _contrasting(ink)))


def _chips(ink: Ink, card: Card) -> None:
    """The layers of the block in a row, as many as there is room for."""
    chips, boxes = card.chips, chip_boxes(card.box, len(card.members))
    if len(boxes) > 1:
        y = boxes[0].centre.y
        ink.painter.setPen(ink.pen("border", 1))
        ink.painter.drawLine(QPointF(boxes[0].right, y), QPointF(boxes[-1].x, y))
    for box, member in chips:
        ink.box(box, 6, f"h-{member.family}", ink.pen("node-border", 1))
        ink.icon(box.x + 5, box.y + 5, member.icon, f"f-{member.family}")
        if ink.marks.chip == (card.id, member.id):
            ink.box(box.grown(2), 8, "", ink.pen("accent", 2))
    if len(card.members) > len(chips):
        rest, last = f"+{len(card.members) - len(chips)}", boxes[-1].centre
        ink.text(last.x - ink.width(rest, "hint") / 2, last.y + 4, rest, ("hint", "text-2"))


def _numbers(ink: Ink, card: Card, base: float) -> float:
    """The count and what is said after it, at the right; where they begin."""
    x = card.box.right - 10
    note = _note(ink, card)
    if note:
        style = ("hint-medium", "text") if card.note == "trainable" else ("hint", "text-3")
        x -= ink.text_right(x, base, note, style) + 7
    token = "accent" if card.id < 0 else "text"
    return x - ink.text_right(x, base, card.count, ("hint-medium", token))


def _note(ink: Ink, card: Card) -> str:
    """What stands after the count; a share gives way where there is no room for all."""
    if card.note or card.count == "?":
        return card.note
    share = labels.percent(card.parameters, ink.total)
    taken = ink.width(card.caption, "mono") + ink.width(card.count, "hint-medium")
    fits = taken + ink.width(share, "hint") + 37 <= card.box.width
    return share if fits else ""


def _bar(ink: Ink, card: Card, track: Box) -> None:
    """The share of the design's parameters; an outline where they are counted elsewhere."""
    ink.box(track, track.height / 2, "border")
    part = card.parameters or card.hidden
    if not part or not ink.total:
        return
    width = max(2.0, min(1.0, part / ink.total) * track.width)
    share = track._replace(width=width)
    if card.locked or not card.parameters:
        ink.box(share, 1.5, "node", ink.pen(f"g-{card.family}", 1))
    else:
        ink.box(share, track.height / 2, f"g-{card.family}")


def _compact(ink: Ink, card: Card) -> None:
    box = card.box
    inset = 14 if card.shape == "io" else 10
    middle = box.centre.y
    ink.icon(box.x + inset, middle - 8, card.icon, f"f-{card.family}")
    said = card.caption or ("" if card.shape == "io" else card.title)
    taken = 0.0
    if said:
        taken = ink.text_right(box.right - inset, middle + 4, said, ("mono", "text-2"))
    left = box.x + inset + 24
    name = ink.elided(card.name, "body-strong", box.right - inset - taken - 8 - left)
    ink.text(left, middle + 4.5, name, ("body-strong", "text"))


def _merge(ink: Ink, card: Card) -> None:
    box = card.box
    least = MIDDLE_NAME if ink.level is Level.MIDDLE else 9.5
    name = ink.elided(card.shown, "body-strong", box.width - 36, least)
    wide = 22 + ink.width(name, "body-strong", least)
    x = box.centre.x - wide / 2
    ink.icon(x, box.centre.y - 8, card.icon, f"f-{card.family}")
    ink.text(x + 22, box.centre.y + 4.5, name, ("body-strong", "text"), least)
    if card.caption and ink.level is Level.FULL:
        ink.text(box.right + 10, box.centre.y + 4, card.caption, ("hint", "text-3"))


def _middle(ink: Ink, card: Card) -> None:
    """Icon, name, copies and share bar."""
    box = card.box
    head = box.y + HEADER / 2 if card.shape in ("full", "block") else box.centre.y
    ink.icon(box.x + 10, head - 8, card.icon, f"f-{card.family}")
    room = box.width - 44 - (_pill_width(ink, card.copies) + 8 if card.copies else 0)
    name = ink.elided(card.name, "body-strong", room, MIDDLE_NAME)
    ink.text(box.x + 34, head + 0.36 * 11 / ink.zoom, name, ("body-strong", "text"), MIDDLE_NAME)
    after = box.x + 42 + ink.width(name, "body-strong", MIDDLE_NAME)
    _pill(ink, after, head, card.copies)
    if card.shape in ("full", "block"):
        _bar(ink, card, Box(box.x + 10, box.bottom - 21, box.width - 20, 6))


def _chip(ink: Ink, card: Card) -> None:
    """A box in the family's colour, with the name where it is high enough for it."""
    box, painter = card.box, ink.painter
    border = ink.pen("error", 2 / ink.zoom) if card.state == "error" else None
    ink.box(box, RADII[card.shape], f"f-{card.family}", border)
    if box.height * ink.zoom < 9.5 + 3:
        return
    name = ink.elided(card.shown, "body-strong", box.width - 16)
    width = ink.width(name, "body-strong")
    base = box.centre.y + 0.36 * 9.5 / ink.zoom
    painter.save()
    ink.text(box.centre.x - width / 2, base, name, ("body-strong", _contrasting(ink)))
    painter.restore()


def _contrasting(ink: Ink) -> str:
    """The colour of text on a family's ink."""
    return "canvas" if ink.theme.name == "dark" else "node"


# States


def paint_rings(ink: Ink, card: Card) -> None:
    """Draw the rings of the selection and of the keyboard."""
    radius = RADII[card.shape]
    thick = max(1.0, 0.5 / ink.zoom)
    if card.id in ink.marks.selected:
        ring = card.outline.grown(4 * thick)
        ink.box(ring, radius + 4 * thick, "", ink.pen("accent", 2 * thick))
    if card.id == ink.marks.focused:
        ink.box(card.outline.grown(6.5), radius + 6.5, "", ink.pen("text", 1.5))


def _badge(ink: Ink, card: Card) -> None:
    """The sign on the corner of a node with a problem."""
    if not card.state:
        return
    painter, centre = ink.painter, QPointF(card.box.right - 1, card.box.y + 1)
    error = card.state == "error"
    painter.setPen(QPen(ink.colour("canvas"), 1.5))
    painter.setBrush(ink.colour("error-fill" if error else "canvas"))
    painter.drawEllipse(centre, 9, 9)
    if not error:
        painter.setPen(ink.pen("warn", 1.5))
        painter.drawEllipse(centre, 8, 8)
    sign = QColor("white") if error else ink.colour("warn")
    painter.setPen(QPen(sign, 1.7, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    painter.drawLine(centre + QPointF(0, -4), centre + QPointF(0, 0.7))
    painter.drawPoint(centre + QPointF(0, 4))


# Ports


def _ports(ink: Ink, card: Card) -> None:
    for spot in (*card.inputs, *card.outputs):
        wired = spot.port in (card.feeds if spot.output else card.wired)
        paint_port(ink, spot, wired, spot.port in card.bad and not spot.output)
        if spot.label and ink.level is Level.FULL:
            _port_label(ink, spot)


def _port_label(ink: Ink, spot: Spot) -> None:
    base = spot.place.y + 15 if spot.output else spot.place.y - 6
    label, room = spot.label, PITCH - 3
    if ink.width(label, "small") > room:
        # Of out0, out1, out2 the numbers tell more than «ou…» would.
        label = label[len(label.rstrip("0123456789")) :] or label
    while len(label) > 1 and ink.width(label, "small") > room:
        label = label[:-2] + "…"
    ink.text(spot.place.x + 4, base, label, ("small", "text-3"))


def paint_port(ink: Ink, spot: Spot, wired: bool, bad: bool = False) -> None:
    """Draw a port: an input as a bar, an output as a disc, hollow while it is free."""
    painter, marks = ink.painter, ink.marks
    if marks.accepts is not None and marks.accepts(spot):
        _accepting(ink, spot, spot == marks.nearest)
        return
    painter.save()
    if marks.accepts is not None:
        painter.setOpacity(0.35)
    if bad:
        painter.setPen(ink.pen("error", 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawEllipse(point_of(spot.place), 10, 10)
    token = "error" if bad else "wire"
    _glyph(ink, spot, 1.5, "canvas", "canvas")
    _glyph(ink, spot, 0 if wired or bad else -0.65, token, token if wired or bad else "canvas")
    painter.restore()


def _glyph(ink: Ink, spot: Spot, grow: float, line: str, fill: str) -> None:
    """The port's shape larger by `grow`; below 0 it is drawn as an outline."""
    painter = ink.painter
    painter.setPen(ink.pen(line, 1.3) if grow < 0 else Qt.PenStyle.NoPen)
    painter.setBrush(ink.colour(fill))
    if spot.output:
        painter.drawEllipse(point_of(spot.place), 4.2 + grow, 4.2 + grow)
    else:
        high = 2.5 + max(grow, -0.3)
        rect = QRectF(spot.place.x - 7 - grow, spot.place.y - high, 14 + 2 * grow, 2 * high)
        painter.drawRoundedRect(rect, high, high)


def _accepting(ink: Ink, spot: Spot, nearest: bool) -> None:
    """A port that can take the dragged wire: larger, with a halo."""
    painter, (x, y) = ink.painter, spot.place
    halo = ink.colour("accent")
    halo.setAlphaF(0.35 if nearest else 0.18)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(halo)
    painter.drawRoundedRect(QRectF(x - 14, y - 8.5, 28, 17), 8.5, 8.5)
    painter.setPen(ink.pen("accent", 1.75))
    painter.setBrush(ink.colour("accent" if nearest else "canvas"))
    painter.drawRoundedRect(QRectF(x - 9, y - 3.5, 18, 7), 3.5, 3.5)


def paint_ghost(ink: Ink, card: Card) -> None:
    """A node that is not placed yet: as it will be, in a dashed accent outline."""
    _body(ink, card)
    _content(ink, card)
    ink.painter.setBrush(Qt.BrushStyle.NoBrush)
    ink.painter.setPen(ink.dashed("accent", 1.5, 5, 4))
    ink.painter.drawRoundedRect(rect_of(card.box), RADII[card.shape], RADII[card.shape])
