"""Chains written down: every leg once, a chain as a row of legs and transfers."""
