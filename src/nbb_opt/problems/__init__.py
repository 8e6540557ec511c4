"""Which problem an instance or a run is about, and who answers for it.

The freight problem is the one the command line is made for; its instances and runs name no problem. Every other one
names itself: key `problem` of `instance.toml`, key `problem` of `run.json`. A new one is a file of this folder with an
`HANDLERS` object, and an entry of `PROBLEMS` with the commands it answers; every command asks `problem_of` first.
"""
