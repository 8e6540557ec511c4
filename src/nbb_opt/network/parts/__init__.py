"""The main parts of chains numbered, and chains written down from them."""
