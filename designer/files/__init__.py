"""Documents on the disk: strict reading, safe saving, the format and its versions."""
