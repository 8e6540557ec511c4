// The region view: sends the levers, shows a running calculation, and finds what is typed in lists.

import { get, post, remove } from "./api.js";
import { ask, tellError } from "./dialog.js";
import { el, meur, number, percent, say, unit } from "./dom.js";
import { curve } from "./job.js";

const EVERY_MS = 500;
const ASIDE = ["frozen: ", "reference: "]; // plans that are solved for comparison only
const panel = document.getElementById("job");
const body = document.body.dataset;
const one = (id) => document.getElementById(id);
const live = (name) => panel.querySelector(`[data-live=${name}]`);
const guarded = (work) => async (...given) => {
  try {
    await work(...given);
  } catch (error) {
    await tellError(error);
  }
};
let shown = null;
let running = false;

function phaseWords(phase) {
  if (!phase) return panel.dataset.read;
  const aside = ASIDE.find((name) => phase.startsWith(name));
  const words = panel.dataset[aside ? phase.slice(aside.length) : phase] || panel.dataset.search;
  return aside ? `${panel.dataset.aside} (${aside.slice(0, -2)}): ${words}` : words;
}

function show(job) {
  panel.hidden = false;
  panel.dataset.state = job.state;
  const [, incumbent, bound] = job.history.at(-1) || [];
  const none = panel.dataset.none;
  live("kind").textContent = panel.dataset[job.kind];
  live("phase").textContent = job.cancelled ? panel.dataset.stopping : phaseWords(job.progress.phase);
  live("incumbent").textContent = incumbent ? meur(incumbent) : none;
  live("bound").textContent = bound ? meur(bound) : none;
  live("gap").textContent = incumbent && bound ? percent(Math.abs(incumbent - bound) / Math.abs(incumbent), 2) : "–";
  live("seconds").textContent = unit(number(job.seconds), "s");
  live("first").hidden = !job.found.relaxed;
  if (job.found.relaxed) live("relaxed").textContent = meur(job.found.relaxed.bound_eur);
  if (job.kind === "run") live("curve").replaceChildren(...[curve(job.history)].filter(Boolean));
  one("progress").hidden = job.kind !== "run";
  one("cancel").hidden = job.cancelled;
  one("end-now").hidden = !job.cancelled;
}

async function poll() {
  try {
    const { job } = await get("/api/job");
    if (job?.state === "running") {
      show(job);
      if (!running) say(panel.dataset[job.kind]);
      running = true;
      shown = job;
    } else if (running) {
      running = false;
      say(panel.dataset.ended);
      if (job.state === "failed" && job.kind !== "run") await tellError(job);
      window.location.reload();
      return;
    }
  } catch { /* the app may be starting again */ }
  if (running) window.setTimeout(poll, EVERY_MS);
}

async function cancel(atOnce) {
  const { job } = await post("/api/job/cancel", { at_once: atOnce });
  if (job?.state === "running") show(job);
}

// Rows of which the words do not hold what is typed are hidden.
function find(field) {
  const wanted = field.value.trim().toLowerCase();
  document.querySelectorAll("[data-words]").forEach((row) => {
    row.hidden = wanted !== "" && !row.dataset.words.toLowerCase().includes(wanted);
    row.classList.toggle("found", wanted !== "");
  });
  document.querySelectorAll("details.group").forEach((group) => {
    if (wanted) {
      group.dataset.before ??= group.open;
      group.open = Boolean(group.querySelector("[data-words]:not([hidden])"));
    } else if (group.dataset.before) {
      group.open = group.dataset.before === "true";
      delete group.dataset.before;
    }
  });
}

function fieldsOf(form) {
  const fields = {};
  for (const [name, value] of new FormData(form)) {
    if (value !== "") (fields[name] ||= []).push(value);
  }
  return fields;
}

function moved(form) {
  const fields = fieldsOf(form);
  const count = Object.entries(fields).reduce((sum, [name, values]) => sum + (/^(value:|project:)/.test(name) ? 1 : /^(scenario|close)$/.test(name) ? values.length : 0), 0);
  one("moved").textContent = count ? one("moved").dataset.some.replace("{count}", count) : one("moved").dataset.none;
  form.querySelectorAll("input[data-low]").forEach((field) => {
    const value = Number(field.value.replace(",", "."));
    const times = form.elements[field.name.replace("value:", "how:")].value === "*=";
    field.parentElement.querySelector(".beyond").hidden = !(field.value && times && (value < Number(field.dataset.low) || value > Number(field.dataset.high)));
  });
}

function problems(error) {
  one("problems").replaceChildren(el("div", { class: "remark bad" }, el("p", {}, error.message),
    error.problems?.length ? el("ul", { class: "problems" }, error.problems.map((each) => el("li", {}, each))) : ""));
}

const levers = one("levers");
if (levers) {
  levers.addEventListener("submit", async (event) => {
    event.preventDefault();
    one("problems").replaceChildren();
    one("solve").disabled = true;
    try {
      const { address } = await post(`/api/region/${encodeURIComponent(body.case)}/runs`, { fields: fieldsOf(levers) });
      window.location.assign(address);
    } catch (error) {
      problems(error);
    } finally {
      one("solve").disabled = false;
    }
  });
  levers.addEventListener("input", () => moved(levers));
  levers.addEventListener("reset", (event) => {
    event.preventDefault();
    levers.querySelectorAll("input[type=text]").forEach((field) => { field.value = ""; });
    levers.querySelectorAll("input[type=checkbox]").forEach((field) => { field.checked = false; });
    levers.querySelectorAll("select[name^='project:'], select[name^='how:'], select[name^='from:']").forEach((field) => { field.selectedIndex = 0; });
    find(one("find"));
    moved(levers);
  });
  moved(levers);
}
one("compare")?.addEventListener("submit", (event) => {
  event.preventDefault();
  const runs = [...new FormData(event.target)].map(([, value]) => value).sort();
  if (runs.length > 1) window.location.assign(`${event.target.getAttribute("action")}?${runs.map((run) => `run=${encodeURIComponent(run)}`).join("&")}`);
});
one("bring")?.addEventListener("change", guarded(async (event) => {
  const [file] = event.target.files;
  const { plants } = await post(`/api/region/${encodeURIComponent(body.case)}/plants`, { name: file.name, text: await file.text() });
  one("plant").replaceChildren(...plants.map((plant) => el("option", { selected: file.name.includes(plant) }, plant)));
  one("locate").disabled = false;
}));
one("find")?.addEventListener("input", (event) => find(event.target));
one("find")?.addEventListener("keydown", (event) => { if (event.key === "Enter") event.preventDefault(); });
one("cancel")?.addEventListener("click", guarded(() => cancel(false)));
one("end-now")?.addEventListener("click", guarded(() => cancel(true)));
document.addEventListener("click", guarded(async (event) => {
  const pressed = event.target.closest("[data-post], [data-delete]");
  if (!pressed) return;
  const { post: target, delete: gone, study, origin, destination, commodity, year, sure, yes, no } = pressed.dataset;
  if (gone) {
    if (await ask(sure, [], [{ value: "yes", text: yes, kind: "danger" }, { value: "no", text: no }]) !== "yes") return;
    window.location.assign((await remove(gone)).address);
    return;
  }
  const { address } = await post(target, study ? { name: study, plant: one("plant").value } : origin ? { origin, destination, commodity, year: Number(year) } : {});
  if (address !== window.location.pathname) window.location.assign(address);
  else {
    await poll();
    panel.scrollIntoView({ block: "center" });
  }
}));
if (panel) poll();
