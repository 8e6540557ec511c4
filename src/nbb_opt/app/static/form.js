// A small fleet as three sheets: depots, trucks, lanes.

import { post } from "./api.js";
import { el, say } from "./dom.js";
import { Grid } from "./grid.js";
import { _ } from "./language.js";

const DRAFT = "fleet-draft";
const HEADINGS = {
  depot: { place: "Depot", number: "kW free" },
  truck: { place: "Depot", type: "Fuel", number: "How many", year: "New in year" },
  lane: { place: "From", to: "To", type: "Goods", number: "How much", unit: "Unit", km: "km" },
};
const LABELS = { depot: "Depots", truck: "Trucks", lane: "Lanes" };

export function showForm(form, wrong) {
  const { rows, columns, offers, most } = JSON.parse(form.dataset.given);
  const named = (what) => sheets[what].rows.map(([place]) => place).filter(Boolean);
  const OFFERS = {
    depot: { place: () => offers.place },
    truck: { place: () => named("depot"), type: () => offers.fuel },
    lane: { place: () => [...named("depot"), ...offers.place], to: () => offers.place, type: () => offers.goods, unit: () => offers.unit },
  };
  const words = Object.fromEntries([...offers.goods, ...offers.unit, ...offers.fuel].map((code) => [code, _(code)]).filter(([code, word]) => code !== word));
  const sheets = {};
  const draft = Object.keys(rows).length ? rows : JSON.parse(window.sessionStorage.getItem(DRAFT) || "{}");
  const all = () => Object.fromEntries(Object.entries(sheets).map(([what, sheet]) => [what, sheet.rows]));

  function changed() {
    window.sessionStorage.setItem(DRAFT, JSON.stringify(all()));
    const count = (what) => sheets[what].rows.length;
    document.getElementById("count").textContent = _("{depots} depots, {trucks} rows of trucks, {lanes} lanes", { depots: count("depot"), trucks: count("truck"), lanes: count("lane") });
  }

  for (const what of Object.keys(columns)) {
    sheets[what] = new Grid({
      columns: columns[what], words, headings: HEADINGS[what], label: _(LABELS[what]), most, changing: true,
      offers: (row, name) => OFFERS[what][name]?.() ?? [],
    }, { changed, key: `steps/new/${what}` });
    sheets[what].load(draft[what] ?? [], []);
    document.getElementById(what).append(sheets[what].node);
  }
  changed();
  window.addEventListener("pagehide", () => Object.values(sheets).forEach((sheet) => { sheet.stopEditing(true); sheet.steps.hold(sheet.rows); }));

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    Object.values(sheets).forEach((sheet) => { sheet.stopEditing(true); sheet.mark([]); });
    document.getElementById("wrong").replaceChildren();
    const make = document.getElementById("make");
    make.disabled = true;
    try {
      const { address, notes } = await post("/api/fleet", { name: document.getElementById("name").value, ...all() });
      window.sessionStorage.removeItem(DRAFT);
      if (notes.length) tellNotes(form, address, notes);
      else window.location.assign(address);
    } catch (error) {
      for (const [what, sheet] of Object.entries(sheets)) sheet.mark((error.answer?.cells ?? []).filter((each) => each.table === what && each.columns.length));
      wrong(error);
      document.getElementById("wrong").scrollIntoView({ block: "nearest" });
    } finally {
      make.disabled = false;
    }
  });
}

function tellNotes(form, address, notes) {
  const on = el("a", { class: "button", id: "to-plan", href: address }, _("To the plan"));
  form.replaceChildren(el("h1", {}, _("The fleet is made")), el("p", {}, _("What was assumed:")),
    el("ul", { lang: "en" }, notes.map((note) => el("li", {}, note))), on);
  on.focus();
  say(_("The fleet is made"));
}
