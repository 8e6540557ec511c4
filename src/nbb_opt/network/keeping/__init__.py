"""The chains of one origin that are kept while they are found: those that no other of the flow outclasses."""
