"""What a file may hold at most: one table, which every refusal quotes."""

from __future__ import annotations

FILE_BYTES = 64 * 2**20
NESTING = 64
VALUES = 6_000_000
NODES = 100_000
EDGES = 1_000_000
NAME_CHARACTERS = 1_000
TEXT_CHARACTERS = 100_000
NUMBER_CHARACTERS = 1_000
AXIS = 2**63 - 1
COORDINATE = 1e8
