// Map and charts of a plan that was checked or solved.

import { get, planPath } from "./api.js";
import { drawing, el, fill, table } from "./dom.js";
import { _ } from "./language.js";

export async function showPictures(main, found, wanted) {
  const ready = found.plans.filter((plan) => plan.result);
  const plan = ready.find((each) => each.id === wanted) || ready[0];
  if (!plan) {
    main.replaceChildren(el("section", { class: "card narrow" }, el("h1", {}, _("No map yet")),
      el("p", {}, _("Check a plan or find the best plan first: then its map and charts are here.")),
      el("p", {}, el("a", { href: `#/case/${found.id}/plan` }, _("To the plan")))));
    return null;
  }
  const shown = await get(`${planPath(found.id, plan.id)}/pictures`);
  const choose = el("select", { id: "picture-choice", onchange: () => { window.location.hash = `#/case/${found.id}/pictures/${choose.value}`; } },
    ready.map((each) => el("option", { value: each.id, selected: each.id === plan.id }, each.name)));
  const notes = [plan.result.stale ? _("Something was changed after these were drawn. Check the plan again.") : "",
    plan.result.faults.length ? _("This plan cannot work as written; it is drawn as if what is missing were there.") : ""].filter(Boolean);
  fill(main,
    el("section", { class: "card" }, el("h1", {}, _("Map and charts")), el("div", { class: "bar" }, el("label", { for: "picture-choice" }, _("Plan")), choose),
      notes.map((words) => el("p", { class: "remark" }, words)),
      el("h2", {}, _("Where the goods go, from {year}", { year: shown.year })),
      el("div", { class: "map-row" }, el("div", { class: "paper", id: "map" }, drawing(shown.map)), el("div", { class: "paper" }, drawing(shown.legend))),
      shown.small_maps.length > 1 ? el("div", { class: "small-maps" }, shown.small_maps.map((each) => el("figure", {},
        el("figcaption", {}, each.label), el("div", { class: "paper" }, drawing(each.svg))))) : null),
    el("section", { class: "card charts", "aria-label": _("Charts") }, shown.charts.map((chart) => el("figure", {},
      el("figcaption", {}, _(chart.title)), el("p", { class: "quiet" }, chart.help), el("div", { class: "paper" }, drawing(chart.svg)),
      el("details", {}, el("summary", {}, _("The numbers: {title}", { title: _(chart.title) })), table(chart.table.caption, chart.table.columns, chart.table.rows))))),
    shown.tables.length ? el("section", { class: "card", "aria-label": _("Decisions") }, el("h2", {}, _("What the plan decides")),
      shown.tables.map((each) => table(each.caption, each.columns, each.rows))) : null);
  return null;
}
