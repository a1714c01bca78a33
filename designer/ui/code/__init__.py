"""The code of the design: shown as it is drawn, compared with PyTorch, and written to a file."""

from designer.ui.code.exporting import export_to
from designer.ui.code.panel import CodePanel

__all__ = ["CodePanel", "export_to"]
