"""The canvas on which a network is drawn."""

from designer.ui.canvas.canvas import Canvas

__all__ = ["Canvas"]
