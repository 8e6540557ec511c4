"""Plans modal shift and fleet electrification of regional freight."""

__version__ = "0.1.0"
