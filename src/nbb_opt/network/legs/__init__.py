"""Legs: paths within one layer of the network."""
