"""Legs joined to the cheapest chains of every pattern from one origin, and what a few new legs change in them."""
