"""The tables of legs and switches that the runs of a class search, and what one origin reaches of them."""
