// What is known of a plan: faults, cost, distance to the best plan, emissions, trucks, files.

import { planPath } from "./api.js";
import { button, clock, el, meur, number, percent, table, unit } from "./dom.js";
import { faultWords } from "./job.js";
import { _, said as inWords } from "./language.js";

export const TECHNOLOGIES = { diesel: _("Diesel"), hvo: "HVO", battery: _("Battery"), hydrogen: _("Hydrogen"), electric: _("Overhead line") };

export function verdict(result) {
  if (!result) return { text: _("Not checked yet"), kind: "none" };
  if (result.faults.length) return { text: `${_("Cannot work")}: ${faultWords(result.faults.length)}`, kind: "bad" };
  return { text: _("It can work"), kind: "good" };
}

// EUR above the best plan found, or null while none is known; a plan that cannot work is not compared.
export function aboveBest(result, best) {
  return result && best && !result.faults.length ? result.cost_eur - best.cost_eur : null;
}

export function showResult(node, found, plan, showRows) {
  const { result, best } = plan;
  const said = verdict(result);
  const parts = [el("h2", { class: `verdict ${said.kind}`, id: "verdict" }, said.text)];
  if (!result) {
    parts.push(el("p", {}, _("“Check plan” says whether it can work, what it costs, and how far it is from the best plan.")));
  } else {
    if (result.stale) parts.push(el("p", { class: "remark", id: "stale" }, _("Something was changed after this check. Check again.")));
    if (result.faults.length) parts.push(faults(found, result, showRows));
    if (result.idle?.length) parts.push(el("ul", { class: "quiet", id: "idle" }, result.idle.map((each) => (
      el("li", {}, `${named(found, each.place)}, ${_("from {year}", { year: each.year })}: ${each.text}`)))));
    parts.push(figures(plan, best), byYear(found, result));
    parts.push(el("p", { class: "quiet" }, `${_("Checked at {time}", { time: clock(result.made_s) })}${result.verified ? `; ${_("accepted by the independent verifier")}` : ""}.`));
  }
  parts.push(files(found, plan));
  node.replaceChildren(...parts);
}

function named(found, words) {
  return words.split(" ").map((word) => found.choices.words[word] || word).join(" ");
}

function faults(found, result, showRows) {
  const said = (fault) => {
    const where = /^order ([^,]+), (.*)$/.exec(fault.where);
    const place = where ? `${named(found, where[1])} with ${named(found, where[2]).replace(" of ", ", ")}` : named(found, fault.where);
    return [el("strong", {}, `${place}, ${_("from {year}", { year: fault.year })}: `), inWords(fault.said ?? fault.text)];
  };
  return el("ul", { class: "faults", id: "faults" }, result.faults.map((fault) => el("li", {}, said(fault), " ",
    fault.rows.length ? button(_("Show the rows"), () => showRows(fault.rows), { class: "link" }) : null)));
}

function figures(plan, best) {
  const { result } = plan;
  const above = aboveBest(result, best);
  const rows = [[_("Cost"), el("span", { id: "cost", "data-value": result.cost_eur }, meur(result.cost_eur))]];
  if (result.faults.length) rows.push(["", _("as if what is missing were there")]);
  if (above !== null) {
    const words = above > 0 ? _("{eur} ({share}) above", { eur: meur(above), share: percent(above / best.cost_eur) }) : _("none: no better plan is known");
    rows.push([_("Distance to the best plan"), el("span", { id: "distance", "data-value": above }, words)]);
    rows.push([_("Best plan found"), _("{eur}, proven within {gap}", { eur: meur(best.cost_eur), gap: percent(best.gap, 2) })]);
  } else if (!result.faults.length) rows.push([_("Distance to the best plan"), el("span", { id: "distance" }, _("not known yet; check again with more time"))]);
  return el("dl", { class: "facts" }, rows.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
}

function byYear(found, result) {
  const years = found.choices.years.map((each) => String(each.year));
  const kinds = Object.keys(TECHNOLOGIES).filter((kind) => years.some((year) => result.trucks[year][kind]));
  const columns = [{ heading: _("In service") }, ...years.map((year) => ({ heading: _("from {year}", { year }), numeric: true }))];
  const rows = [
    ...kinds.map((kind) => [_("{kind} trucks", { kind: TECHNOLOGIES[kind] }), ...years.map((year) => number(result.trucks[year][kind] || 0))]),
    [_("Chargers"), ...years.map((year) => number(result.chargers[year]))],
    [_("CO2e, t a year"), ...years.map((year) => number(result.emissions_t[year]))],
  ];
  return table(_("By period, emissions well to wheel"), columns, rows);
}

function files(found, plan) {
  const base = `${planPath(found.id, plan.id)}/files`;
  const words = { "report.html": _("Report"), "report.xlsx": _("Workbook with all results"), "audit.html": _("Repair and improvements") };
  const links = plan.files.map((name) => el("li", {},
    name.endsWith(".html") ? [el("a", { href: `${base}/${name}?view=true`, target: "_blank", rel: "noopener" }, words[name]), " "] : null,
    el("a", { href: `${base}/${name}`, download: "", id: `file-${name.replace(".", "-")}`, "aria-label": `${_("Download")}: ${words[name]}` },
      name.endsWith(".html") ? _("(download)") : words[name])));
  if (plan.pictures) links.push(el("li", {}, el("a", { href: `#/case/${found.id}/pictures/${plan.id}` }, _("Map and charts of this plan"))));
  return links.length ? el("ul", { class: "files", id: "files" }, links) : el("span");
}
