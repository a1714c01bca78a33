"""The catalogue of layers: importing this package enters every kind in `CATALOGUE`."""
