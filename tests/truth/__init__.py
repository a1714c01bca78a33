"""Recorded calls of PyTorch, held against the catalogue."""
