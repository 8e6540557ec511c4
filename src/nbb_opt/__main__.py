"""`python -m nbb_opt` is `nbb-opt`."""

from nbb_opt.cli.main import main

main()
