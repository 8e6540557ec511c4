"""The closing block of a solve: what was planned, against doing nothing, in about twelve lines."""

from __future__ import annotations

from nbb_opt.instance import Instance
from nbb_opt.report.kpis import key_figures
from nbb_opt.result import Run


def closing_block(instance: Instance, run: Run) -> str:
    """Give the lines that end `nbb-opt solve`: cost, emissions, shifts, trucks, investments, gap, verifier, paths."""
    figures, record = key_figures(instance, run), run.record
    years = [period.year for period in instance.periods]
    last = years[-1]
    cost, before = figures["cost_eur"], figures["cost_do_nothing_eur"]
    now, then = figures["emissions_t_co2e"], figures["emissions_do_nothing_t_co2e"]
    money = figures["investments_eur"]
    lines = [
        f"{instance.meta.title}, model {record['model']}, against the do-nothing plan",
        f"  cost          {cost / 1e6:,.1f} MEUR net present value ({_change(cost, before)})",
        "  emissions     "
        + ", ".join(f"{year}: {now[year] / 1e3:,.1f} kt ({_change(now[year], then[year])})" for year in years)
        + " CO2e WTW per year",
        "  road to rail, sea, ferry  "
        + ", ".join(f"{year}: {figures['shifted_t'][year] / 1e3:,.0f} kt" for year in years),
        "  battery trucks  " + ", ".join(f"{year}: {figures['battery_trucks'][year]:,}" for year in years),
        f"  investments   projects {money['projects'] / 1e6:,.1f}, chargers {money['chargers'] / 1e6:,.1f}, "
        f"vehicles {money['vehicles'] / 1e6:,.1f} MEUR until {last}",
        "  built         "
        + ("; ".join(f"{name} ({year})" for _key, name, year in figures["projects_built"]) or "no project"),
        f"  solved        {record['status']}, gap {record['gap']:.4%} proven, bound {record['bound'] / 1e6:,.1f} MEUR, "
        f"{record['columns']:,} columns, {record['rows']:,} rows, {record['integers']:,} integers",
        "  seconds       " + ", ".join(f"{phase} {seconds:.1f}" for phase, seconds in record["seconds"].items()),
        f"  verified: {'OK' if record['verified'] else 'NO'} ({record['checks']} checks from the tables alone)",
        f"  report        {run.path / 'report.html'}  workbook {run.path / 'report.xlsx'}",
    ]
    return "\n".join(lines)


def _change(now: float, before: float) -> str:
    return f"{(now - before) / before:+.1%}" if before else "nothing to compare"
