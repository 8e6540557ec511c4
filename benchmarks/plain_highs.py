"""What a user gets from HiGHS alone on a standard form: the peer of the suites that solve."""


def minimise(form, options, *, presolve="choose"):
    """The function to be timed: HiGHS on the columns and rows of `form`, with its own defaults but for the options."""
    import highspy
    import numpy as np

    kinds = np.where(form.integer, np.int32(1), np.int32(0))

    def work():
        highspy.Highs.resetGlobalScheduler(True)
        highs = highspy.Highs()
        settings = {"output_flag": False, "threads": options.threads, "random_seed": options.seed, "presolve": presolve}
        settings |= {"time_limit": options.time_limit_s, "mip_rel_gap": options.gap, "mip_abs_gap": 0.0}
        for name, value in settings.items():
            assert highs.setOptionValue(name, value) == highspy.HighsStatus.kOk
        highs.passModel(
            len(form.cost), len(form.row_low), len(form.a_values), int(highspy.MatrixFormat.kColwise),
            int(highspy.ObjSense.kMinimize), form.cost_offset, form.cost, form.col_low, form.col_up, form.row_low,
            form.row_up, form.a_indptr, form.a_indices, form.a_values, kinds,
        )  # fmt: skip
        highs.run()
        return highs

    return work


def outcome(case, highs):
    """What HiGHS says of itself; its plan is not verified."""
    import highspy

    info, status = highs.getInfo(), highs.getModelStatus()
    words = {highspy.HighsModelStatus.kOptimal: "optimal", highspy.HighsModelStatus.kTimeLimit: "time_limit"}
    ended = status in words
    found = ended and info.primal_solution_status == 2
    steps = {"nodes": int(info.mip_node_count), "iterations": int(info.simplex_iteration_count)}
    return {
        "status": words.get(status, highs.modelStatusToString(status)),
        "objective": info.objective_function_value if found else None,
        "bound": info.mip_dual_bound if ended else None,
        "gap": info.mip_gap if found else None,
        "counters": {
            "rows": highs.getNumRow(), "columns": highs.getNumCol(), "nonzeros": highs.getNumNz(),
            **{name: count for name, count in steps.items() if count >= 0},  # -1: HiGHS does not know
        },
    }  # fmt: skip
