"""The topics of the stram model: in each, one rule for one equation, which is its docstring."""
