// All plans side by side.

import { casePath, get } from "./api.js";
import { drawing, el, fill, meur, number, percent } from "./dom.js";
import { TECHNOLOGIES, aboveBest, verdict } from "./result.js";
import { _ } from "./language.js";

export async function showCompare(main, found) {
  const { plans, best, years, technologies, charts } = await get(`${casePath(found.id)}/compare`);
  const checked = plans.filter((plan) => plan.result);
  const working = checked.filter((plan) => !plan.result.faults.length);
  const row = (name, cell, { lowest = false, id = null } = {}) => {
    const values = lowest ? working.map((plan) => cell(plan).value) : [];
    const least = values.length > 1 ? Math.min(...values) : null;
    return el("tr", { "data-row": id }, el("th", { scope: "row" }, name), plans.map((plan) => {
      if (!plan.result && id !== "verdict") return el("td", { class: "n quiet" }, "–");
      const { text, value, kind } = cell(plan);
      const marked = working.includes(plan) && least !== null && value === least;
      return el("td", { class: `n ${kind || ""} ${marked ? "least" : ""}`, "data-plan": plan.id, "data-value": value }, text,
        marked ? el("span", { class: "unseen" }, ` (${_("lowest")})`) : null);
    }));
  };
  const rows = [
    row(_("Can it work?"), (plan) => {
      const said = verdict(plan.result);
      return { text: said.text + (plan.result?.stale ? ` (${_("changed since")})` : ""), kind: said.kind, value: plan.result ? plan.result.faults.length : undefined };
    }, { id: "verdict" }),
    row(_("Cost, present value"), (plan) => ({ text: meur(plan.result.cost_eur), value: plan.result.cost_eur }), { lowest: true, id: "cost" }),
    row(_("Above the best plan found"), (plan) => {
      const above = aboveBest(plan.result, best);
      return { text: plan.result.faults.length ? _("cannot work") : above === null ? _("not known") : above > 0 ? `${meur(above)}, ${percent(above / best.cost_eur)}` : _("none"), value: above };
    }, { id: "above" }),
    ...years.map((year) => row(_("CO2e from {year}, t a year", { year }), (plan) => (
      { text: number(plan.result.emissions_t[year]), value: plan.result.emissions_t[year] }), { lowest: true, id: `emissions-${year}` })),
    ...years.flatMap((year) => technologies.filter((kind) => checked.some((plan) => plan.result.trucks[year][kind])).map((kind) => (
      row(_("{kind} trucks from {year}", { kind: TECHNOLOGIES[kind] || kind, year }), (plan) => {
        const count = plan.result.trucks[year][kind] || 0;
        return { text: number(count), value: count };
      }, { id: `${kind}-${year}` })))),
    ...years.map((year) => row(_("Chargers from {year}", { year }), (plan) => (
      { text: number(plan.result.chargers[year]), value: plan.result.chargers[year] }), { id: `chargers-${year}` })),
  ];
  const head = el("tr", {}, el("td"), plans.map((plan, i) => el("th", { scope: "col", class: "n" },
    el("a", { href: `#/case/${found.id}/plan/${plan.id}` }, `${i + 1} ${plan.name}`))));
  fill(main, el("section", { class: "card" }, el("h1", {}, _("Plans side by side")),
    checked.length < plans.length ? el("p", { class: "quiet" }, _("A dash: the plan was not checked yet. Open it and press “Check plan”.")) : null,
    el("div", { class: "wide", tabindex: "0", role: "region", "aria-label": _("Plans side by side") },
      el("table", { class: "compare", id: "compare" }, el("caption", { class: "unseen" }, _("Plans side by side")), el("thead", {}, head), el("tbody", {}, rows))),
    el("p", { class: "quiet" }, _("Bold: the lowest of the plans that can work. Plans that cannot work are costed as if what is missing were there."))),
  charts.length ? el("section", { class: "card charts", "aria-label": _("Charts") }, charts.map((chart) => el("figure", {},
    el("figcaption", {}, chart.title), el("div", { class: "paper" }, drawing(chart.svg))))) : null);
  return null;
}
