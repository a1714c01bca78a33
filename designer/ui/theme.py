"""The look of the window: colours and type of the light and the dark theme, as tokens."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QGuiApplication, QPalette

from designer import resources
from designer.ui.sheet import style_sheet

if TYPE_CHECKING:
    from collections.abc import Mapping

    from PySide6.QtWidgets import QApplication

DARK = "dark"
LIGHT = "light"

UI_FAMILIES = (
    "Inter",
    "Segoe UI",
    "SF Pro Text",
    "Noto Sans",
    "Noto Sans CJK SC",
    "Noto Sans CJK TC",
    "Noto Sans CJK JP",
    "Noto Sans CJK KR",
    "PingFang SC",
    "Hiragino Sans",
    "Microsoft YaHei",
    "Malgun Gothic",
)
CODE_FAMILIES = (
    "JetBrains Mono",
    "Cascadia Mono",
    "SF Mono",
    "Menlo",
    "Consolas",
    "Noto Sans Mono CJK SC",
)

SMALLEST_SCALE = 0.9
LARGEST_SCALE = 1.5


@dataclass(frozen=True, slots=True)
class Tokens:
    """The colours of one theme by name, as `#rrggbb`."""

    name: str
    colours: Mapping[str, str]

    def __getitem__(self, token: str) -> str:
        """The colour called `token`; KeyError when the theme has none of that name."""
        return self.colours[token]


@dataclass(frozen=True, slots=True)
class Role:
    """A use of type: size in px at 100%, weight, and whether it is set in the code face."""

    px: float
    weight: int = 400
    mono: bool = False


ROLES: Mapping[str, Role] = {
    "total": Role(23, 600),
    "page-title": Role(18, 600),
    "inspector-name": Role(15, 600),
    "plot-title": Role(14, 600),
    "body": Role(12.5),
    "body-medium": Role(12.5, 500),
    "body-strong": Role(12.5, 600),
    "query": Role(14),
    "secondary": Role(12),
    "secondary-medium": Role(12, 500),
    "hint": Role(11.5),
    "hint-medium": Role(11.5, 500),
    "section": Role(11.5, 600),
    "small": Role(11),
    "badge": Role(11, 500),
    "mono": Role(11.5, mono=True),
    "mono-strong": Role(11.5, 600, mono=True),
    "code": Role(12, mono=True),
    "code-strong": Role(12, 600, mono=True),
}


@functools.cache
def tokens(name: str) -> Tokens:
    """The tokens of the theme `name`; KeyError when there is no such theme."""
    return Tokens(name, _token_file()[name])


@functools.cache
def _token_file() -> dict[str, dict[str, str]]:
    text = resources.path("themes", "tokens.json").read_text(encoding="utf-8")
    themes: dict[str, dict[str, str]] = json.loads(text)
    return themes


@functools.cache
def load_fonts() -> tuple[str, ...]:
    """Register the bundled faces with Qt, once; their family names."""
    faces = sorted(resources.path("fonts").glob("*.[ot]tf"))
    ids = [QFontDatabase.addApplicationFont(str(face)) for face in faces]
    return tuple(f for i in ids for f in QFontDatabase.applicationFontFamilies(i))


def system_theme() -> str:
    """The theme that the desktop asks for; dark where it says nothing."""
    scheme = QGuiApplication.styleHints().colorScheme()
    return LIGHT if scheme == Qt.ColorScheme.Light else DARK


def make_font(role: Role, scale: float = 1.0) -> QFont:
    """A font for `role` at `scale`."""
    load_fonts()
    font = QFont()
    font.setFamilies(list(CODE_FAMILIES if role.mono else UI_FAMILIES))
    # Qt rounds sizes to whole pixels; the rest of 11.5 or 12.5 goes into the width.
    size = role.px * scale
    whole = int(size + 0.5)
    font.setPixelSize(whole)
    font.setStretch(round(100 * size / whole))
    font.setWeight(QFont.Weight(role.weight))
    font.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    # Inter's contextual alternates turn the x of a name like branch1x1 into a multiplication sign.
    font.setFeature(QFont.Tag("calt"), 0)
    if not role.mono:
        font.setFeature(QFont.Tag("tnum"), 1)
    return font


class Theme(QObject):
    """The look in force: widgets ask it for colours, fonts and sizes, and repaint on `changed`."""

    changed = Signal()

    def __init__(self, name: str = DARK, scale: float = 1.0) -> None:
        super().__init__()
        self._tokens = tokens(name)
        self._scale = _within(scale)
        self._colours: dict[str, QColor] = {}
        self._fonts: dict[str, QFont] = {}
        self._app: QApplication | None = None

    @property
    def name(self) -> str:
        """`dark` or `light`."""
        return self._tokens.name

    @property
    def scale(self) -> float:
        """The scale of the interface, 0.9 to 1.5."""
        return self._scale

    @property
    def tokens(self) -> Tokens:
        """The colours in force, by name."""
        return self._tokens

    def colour(self, token: str) -> QColor:
        """The colour of `token`; KeyError when there is none of that name."""
        if token not in self._colours:
            self._colours[token] = QColor(self._tokens[token])
        return QColor(self._colours[token])

    def ink(self, family: str) -> QColor:
        """The colour of a layer family's icon and text."""
        return self.colour(f"f-{family}")

    def graphic(self, family: str) -> QColor:
        """The colour of a layer family's bars, dots and chips without text."""
        return self.colour(f"g-{family}")

    def tint(self, family: str) -> QColor:
        """The colour behind a layer family's header."""
        return self.colour(f"h-{family}")

    def font(self, role: str) -> QFont:
        """The font of a role in `ROLES` at the scale in force; KeyError for another name."""
        if role not in self._fonts:
            self._fonts[role] = make_font(ROLES[role], self._scale)
        return QFont(self._fonts[role])

    def px(self, value: float) -> int:
        """A measure given at 100%, in whole pixels at the scale in force."""
        return round(value * self._scale)

    def apply(self, app: QApplication, name: str, scale: float | None = None) -> None:
        """Put the theme `name` in force for the whole application."""
        self._app = app
        self._tokens = tokens(name)
        self._scale = self._scale if scale is None else _within(scale)
        self._colours.clear()
        self._fonts.clear()
        app.setStyle("Fusion")
        app.setPalette(palette(self._tokens))
        app.setFont(self.font("body"))
        app.setStyleSheet(style_sheet(self._tokens.colours, self.px))
        self.changed.emit()

    def toggle(self) -> None:
        """Change between dark and light; RuntimeError before the first `apply`."""
        if self._app is None:
            raise RuntimeError("The theme is toggled before it is applied.")
        self.apply(self._app, LIGHT if self.name == DARK else DARK)


def _within(scale: float) -> float:
    return min(max(scale, SMALLEST_SCALE), LARGEST_SCALE)


_PALETTE: Mapping[QPalette.ColorRole, str] = {
    QPalette.ColorRole.Window: "app",
    QPalette.ColorRole.WindowText: "text",
    QPalette.ColorRole.Base: "field",
    QPalette.ColorRole.AlternateBase: "panel",
    QPalette.ColorRole.Text: "text",
    QPalette.ColorRole.PlaceholderText: "text-3",
    QPalette.ColorRole.Button: "node",
    QPalette.ColorRole.ButtonText: "text",
    QPalette.ColorRole.BrightText: "error",
    QPalette.ColorRole.ToolTipBase: "raised",
    QPalette.ColorRole.ToolTipText: "text",
    QPalette.ColorRole.Highlight: "accent-fill",
    QPalette.ColorRole.HighlightedText: "accent-ink",
    QPalette.ColorRole.Link: "accent",
    QPalette.ColorRole.LinkVisited: "accent",
    QPalette.ColorRole.Accent: "accent",
    QPalette.ColorRole.Light: "pressed",
    QPalette.ColorRole.Midlight: "hover",
    QPalette.ColorRole.Mid: "border",
    QPalette.ColorRole.Dark: "border-strong",
    QPalette.ColorRole.Shadow: "canvas",
}

_DISABLED = (
    QPalette.ColorRole.WindowText,
    QPalette.ColorRole.Text,
    QPalette.ColorRole.ButtonText,
)


def palette(theme: Tokens) -> QPalette:
    """The palette of a theme, for what Fusion draws by itself."""
    result = QPalette()
    for role, token in _PALETTE.items():
        result.setColor(role, QColor(theme[token]))
    for role in _DISABLED:
        result.setColor(QPalette.ColorGroup.Disabled, role, QColor(theme["text-off"]))
    return result
