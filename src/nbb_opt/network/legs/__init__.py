"""Legs: cheapest paths within one layer, and their numbers."""
