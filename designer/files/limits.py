"""What a file may hold at most: one table, which every refusal quotes."""

from __future__ import annotations

FILE_BYTES = 64 * 2**20
NESTING = 64
CONTAINERS = 2_000_000
NODES = 100_000
NAME_CHARACTERS = 1_000
NUMBER_CHARACTERS = 100
AXIS = 2**63 - 1
