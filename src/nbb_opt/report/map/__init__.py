"""Maps of a plan as SVG."""
