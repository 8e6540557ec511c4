"""From an instance to bundles and candidate chains."""

KIND, LIBRARY = "ours", "nbb-opt"


def suits(case):
    return case["stage"] == "prepare"


def start(case, options):
    from nbb_opt.instance import read_instance
    from nbb_opt.network import prepare
    from nbb_opt.shipped import shipped

    prepare(read_instance(shipped("instances") / "tiny"))
    instance = read_instance(shipped("instances") / case["instance"])
    return lambda: (instance, prepare(instance))


def outcome(case, result):
    instance, prepared = result
    counters = {
        "bundles": len(prepared.bundles), "chains": len(prepared.chains), "steps": len(prepared.steps),
        "lanes": len(prepared.lanes), "lane_links": len(prepared.lane_links),
    }  # fmt: skip
    return {"counters": counters, "instance_digest": instance.digest}
