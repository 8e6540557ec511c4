"""From candidate chains to the arrays of the joint model."""

from pathlib import Path

KIND, LIBRARY = "ours", "nbb-opt"


def suits(case):
    return case["stage"] == "build"


def start(case, options):
    from nbb_opt.instance import read_instance
    from nbb_opt.model import build, read_model, standard_form
    from nbb_opt.network import prepare
    from nbb_opt.shipped import shipped

    def state(instance, prepared):
        return instance, standard_form(build(instance, prepared, read_model("joint"), route="arrays"))

    tiny = read_instance(shipped("instances") / "tiny")
    state(tiny, prepare(tiny))
    instance = read_instance(shipped("instances") / case["instance"])
    prepared = prepare(instance, cache_dir=Path(case["folder"]) / "cache")
    return lambda: state(instance, prepared)


def outcome(case, result):
    from benchmarks.harness import form_digest

    instance, form = result
    counters = {
        "rows": len(form.row_low), "columns": len(form.cost), "nonzeros": len(form.a_values),
        "integers": int(form.integer.sum()),
    }  # fmt: skip
    return {"counters": counters, "instance_digest": instance.digest, "model_digest": form_digest(form)}
