"""Plain HiGHS on the same columns and rows, without our scaling, first plans and branching; only it is timed."""

from benchmarks.plain_highs import minimise, outcome

KIND, LIBRARY = "peer", "highspy"
__all__ = ["KIND", "LIBRARY", "outcome", "start", "suits"]


def suits(case):
    return case["model"] != "electrify_only"  # its flows come from another solve


def start(case, options):
    from nbb_opt.instance import read_instance
    from nbb_opt.model import build, read_model, standard_form
    from nbb_opt.network import prepare
    from nbb_opt.shipped import shipped

    instance = read_instance(shipped("instances") / case["instance"])
    built = build(instance, prepare(instance), read_model(case["model"]), route="arrays")
    return minimise(standard_form(built), options)
