"""The inspector: the options of the selected layers, their shapes, and how they are counted."""

from __future__ import annotations

from designer.ui.inspector.panel import Inspector

__all__ = ["Inspector"]
