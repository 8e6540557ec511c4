"""Studies: many solves of one instance, to see what an answer depends on."""
