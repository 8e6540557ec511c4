"""The chains of every flow, origin by origin: all runs of a class, and of the chains those that none outclasses."""
