"""The stram model as arrays, the statement for scale: one file a topic."""
