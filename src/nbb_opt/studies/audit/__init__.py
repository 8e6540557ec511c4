"""A haulier's own fleet plan: what it cannot do, what it costs, how to repair it, which changes improve it most."""
