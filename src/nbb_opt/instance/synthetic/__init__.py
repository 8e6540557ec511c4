"""Invented instances of any size, the same for the same seed."""

from nbb_opt.instance.synthetic.write import Shape, write_synthetic

__all__ = ["Shape", "write_synthetic"]
