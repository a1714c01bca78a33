"""From an analysed design to programs, and the proof that they are the same thing."""
