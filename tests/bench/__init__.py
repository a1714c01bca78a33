"""How fast things are: measured beside a peer in the same run, and held against goals."""
