"""The whole model in HiGHS: a dive to a plan, a tree for the bound, an exact vertex at the end."""
