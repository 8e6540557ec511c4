"""Prices of trucks on lanes and of pieces of chains, from those of rows."""
