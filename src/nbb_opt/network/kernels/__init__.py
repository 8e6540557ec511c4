"""Compiled searches: files here import numpy, numba and each other only."""
