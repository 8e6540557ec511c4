"""The coefficients of the model, worked out of an instance and its chains."""
