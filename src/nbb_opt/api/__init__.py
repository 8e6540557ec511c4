"""The Python interface behind the names of `nbb_opt`. Every command is a layer on these functions, and only prints."""
