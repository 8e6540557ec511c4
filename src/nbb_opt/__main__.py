"""`python -m nbb_opt` is `nbb-opt`."""

from nbb_opt.cli import main

main()
