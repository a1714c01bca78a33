"""Draw designs of the gallery anew: `python -m tests.gallery [NAME ...]`, all without a name."""

from __future__ import annotations

import os
import sys

from PySide6.QtWidgets import QApplication

from designer import resources
from designer.core import numbers
from designer.files.codec import write_document
from designer.ui.theme import load_fonts
from tests.gallery import all_designs
from tests.gallery.layout import arrange


def main(names: list[str]) -> int:
    """Draw, arrange and save; prints what each design has."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    qt = QApplication([])
    load_fonts()
    designs = all_designs()
    for name in names or sorted(designs):
        sketch = designs[name]()
        arrange(sketch.editor)
        resources.path("gallery", f"{name}.netdraft").write_bytes(write_document(sketch.document))
        analysis = sketch.editor.analysis
        wrong = [str(problem.message) for problem in analysis.problems() if problem.blocks]
        print(f"{name:32} {numbers.count(analysis.totals().parameters):>24}  {'; '.join(wrong)}")
    qt.quit()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
