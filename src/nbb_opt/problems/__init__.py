"""Which problem an instance or a run is about, and who answers for it.

Every problem is a module with `HANDLERS` (see `handlers`) and an entry of `PROBLEMS` (see `dispatch`) with the commands
it answers; the interface asks `problem_of` first. An instance and a run name their problem by the key `problem` of
`instance.toml` and `run.json`; without the key they are about freight, which alone has the studies.
"""
