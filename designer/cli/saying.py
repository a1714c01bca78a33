"""What a command tells people besides its output."""

from __future__ import annotations

import sys

from designer.files.refusal import shown

LONGEST = 400


def say(sentence: str) -> None:
    """A sentence for people, on standard error."""
    print(shown(sentence, LONGEST), file=sys.stderr)
