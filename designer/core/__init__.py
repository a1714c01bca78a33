"""What a network is: sizes, layers, graphs, analysis. Needs neither Qt nor torch."""
