"""Netdraft: draw a neural network, read its exact shapes and parameters, export PyTorch."""
