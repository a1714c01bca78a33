"""How the designs of the gallery are drawn: one function each, run by `python -m tests.gallery`."""
