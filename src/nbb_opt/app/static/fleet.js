// Pages for a haulier: a lane whose cost follows the sliders, a file of trips, studies of a plan.

import { get, post, remove, upload } from "./api.js";
import { ask, tellError } from "./dialog.js";
import { el, number, part, say, unit } from "./dom.js";
import { phaseWords } from "./job.js";
import { _ } from "./language.js";
import { showForm } from "./form.js";

const one = (id) => document.getElementById(id);
const cost = one("cost");

// What the form asks, without sliders that were not moved.
function asked(form) {
  const given = new URLSearchParams();
  for (const field of form.elements) {
    if (field.name && field.value !== "" && (field.type !== "range" || field.dataset.moved)) given.set(field.name, field.value);
  }
  return `${window.location.pathname}?${given}`;
}

let busy = false;
let again = false;

// The answer for where the sliders stand; while one is on its way only the last move is asked next.
async function follow() {
  again = busy;
  if (busy) return;
  busy = true;
  one("answer").setAttribute("aria-busy", "true");
  const address = asked(cost);
  try {
    const page = await (await fetch(address, { credentials: "same-origin", cache: "no-store" })).text();
    one("answer").replaceWith(part(page, "answer"));
    window.history.replaceState(null, "", address);
    say((one("first") ?? one("wrong")).textContent);
  } finally {
    busy = false;
    one("answer").removeAttribute("aria-busy");
  }
  if (again) await follow();
}

if (cost) {
  cost.addEventListener("input", (event) => {
    if (event.target.type !== "range") return;
    event.target.dataset.moved = "yes";
    const shown = one(`${event.target.id}-value`);
    shown.textContent = number(Number(event.target.value), Number(shown.dataset.decimals));
    follow();
  });
  cost.addEventListener("change", (event) => { if (event.target.type !== "range") window.location.assign(asked(cost)); });
  cost.addEventListener("submit", (event) => event.preventDefault());
  one("back")?.addEventListener("click", () => {
    cost.querySelectorAll("[data-moved]").forEach((slider) => { delete slider.dataset.moved; });
    window.location.assign(asked(cost));
  });
}
// What is wrong, where the page has room for it.
function wrong(error) {
  const lines = error.problems?.length ? error.problems : [error.message];
  one("wrong").replaceChildren(el("div", { class: "remark bad" }, el("ul", { class: "problems", lang: "en" }, lines.map((line) => el("li", {}, line)))));
}

one("trips")?.addEventListener("change", async (event) => {
  const [file] = event.target.files;
  if (!file) return;
  one("wrong").replaceChildren(el("p", { role: "status" }, _("Reading {file} …", { file: file.name })));
  try {
    const more = { goods: one("goods").value, loaded: one("loaded").value };
    window.location.assign((await upload("/api/fleet/trips", file, more)).address);
  } catch (error) {
    wrong(error);
  }
  event.target.value = "";
});

document.addEventListener("click", async (event) => {
  const address = event.target.closest("[data-delete]")?.dataset.delete;
  if (!address) return;
  const sure = await ask(_("Delete it?"), el("p", {}, _("It goes to the folder “deleted” of the work folder.")),
    [{ value: "yes", text: _("Delete"), kind: "danger" }, { value: "no", text: _("Keep it") }]);
  if (sure === "yes") await remove(address).then((answer) => window.location.assign(answer.address), tellError);
});

const study = one("study");

function figure(field) {
  const value = field.value.trim().replace(",", ".");
  if (value === "") return null;
  if (!Number.isFinite(Number(value))) throw new Error(_("“{text}” is not a number", { text: field.value }));
  return Number(value);
}

// What the form says of a loan and of leases.
function finance() {
  if (!one("loan_rate")) return {};
  const rate = figure(one("loan_rate"));
  const leased = [...study.querySelectorAll(".lease")].map((field) => [field.dataset.truck, figure(field)]);
  return { loan_rate: rate === null ? null : rate / 100, loan_years: figure(one("loan_years")) ?? 5, against: one("against").value,
    lease: Object.fromEntries(leased.filter(([, eur]) => eur !== null)) };
}

async function watch() {
  const { job } = await get("/api/job");
  if (job?.state === "running") {
    one("job").hidden = false;
    one("calculate").disabled = true;
    one("phase").textContent = job.cancelled ? one("job").dataset.stopping : phaseWords(job.progress.phase);
    one("seconds").textContent = unit(number(job.seconds), "s");
    window.setTimeout(watch, 400);
    return;
  }
  if (one("job").hidden) return;
  one("job").hidden = true;
  one("calculate").disabled = false;
  if (job.state === "done") window.location.reload();
  else wrong(job);
}

study?.addEventListener("submit", async (event) => {
  event.preventDefault();
  one("wrong").replaceChildren();
  try {
    await post(study.dataset.post, finance());
    await watch();
  } catch (error) {
    wrong(error);
  }
});
if (study) {
  one("cancel").addEventListener("click", () => post("/api/job/cancel", { at_once: false }));
  watch();
}
if (one("new")) showForm(one("new"), wrong);
one("main").dataset.ready = one("main").dataset.view;
