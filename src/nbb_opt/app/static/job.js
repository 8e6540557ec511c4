// A running calculation: what it does, how good the plan is so far, and the button that stops it.

import { get, planPath, post } from "./api.js";
import { button, el, meur, number, percent, say, unit } from "./dom.js";
import { _ } from "./language.js";

const EVERY_MS = 350;
const ASIDE = ["frozen", "reference"]; // plans that are solved for comparison only
const KINDS = { check: _("Checking the plan"), money: _("Money over time"), day: _("Charging by the hour"), solve: _("Looking for the best plan"), audit: _("Looking for repair and improvements (some minutes)") };
const PHASES = { read: _("reading the input"), prepare: _("preparing the routes"), judge: _("looking for what cannot work"), build: _("stating the problem"),
  verify: _("checking the answer independently"), ledger: _("counting emissions"), solve: _("solving") };

export function phaseWords(phase) {
  if (!phase) return _("starting");
  const aside = ASIDE.find((name) => phase.startsWith(`${name}: `));
  if (phase === "ending") return _("The app was ended; the solver is writing its best plan");
  if (phase.startsWith("audit: ")) return phase.slice(7);
  if (aside) return `${_("for comparison")} (${_(aside)}): ${phaseWords(phase.slice(aside.length + 2))}`;
  const short = phase.replace("best: ", "");
  return PHASES[short] || _("searching for better plans");
}

export function faultWords(count) {
  return count === 1 ? _("1 fault") : _("{count} faults", { count });
}

export class JobPanel {
  constructor(found, { done, changed }) {
    Object.assign(this, { found, done, changed, job: null, timer: null, phase: "" });
    this.node = el("div", { id: "job" });
  }

  get running() {
    return this.job?.state === "running";
  }

  async begin(plan, kind, limits) {
    const answer = await post(`${planPath(this.found.id, plan)}/job`, { kind, ...limits });
    say(KINDS[kind]);
    this.show(answer.job);
    this.poll();
  }

  // After a reload: go on showing what runs; say nothing of what ended before.
  async look() {
    const { job } = await get("/api/job");
    if (job?.state !== "running" && !job?.left) return;
    this.show(job);
    if (this.running) this.poll();
  }

  leave() {
    window.clearTimeout(this.timer);
    this.timer = null;
  }

  poll() {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.next(), EVERY_MS);
  }

  async next() {
    try {
      const { job } = await get("/api/job");
      if (this.timer === null) return;
      const ended = this.running && job.state !== "running";
      this.show(job);
      if (ended) await this.end(job);
      else this.poll();
    } catch {
      this.poll();
    }
  }

  async end(job) {
    await this.done(job);
    this.show(job);
    say(job.state === "done" ? this.summary(job) : job.message);
  }

  show(job) {
    this.job = job;
    this.node.setAttribute("data-state", job.state);
    this.node.setAttribute("data-kind", job.kind);
    if (job.state === "running") this.node.replaceChildren(...this.live(job));
    else if (job.state === "failed") this.node.replaceChildren(this.failed(job));
    else this.node.replaceChildren(this.ended(job));
    this.changed();
  }

  live(job) {
    const p = job.progress;
    const known = !ASIDE.some((name) => (p.phase || "").startsWith(name)) && job.kind !== "audit";
    const [, incumbent, bound] = known ? job.history.at(-1) || [] : [];
    const facts = [[_("Plan found so far"), incumbent === null || incumbent === undefined ? _("none yet") : meur(incumbent)],
      [_("No plan can cost less than"), bound === null || bound === undefined ? _("not known yet") : meur(bound)],
      [_("Distance between the two"), incumbent && bound ? percent(Math.abs(incumbent - bound) / Math.abs(incumbent), 2) : "–"]];
    const away = job.case !== this.found.id ? ` (${_("of another case")})` : "";
    const found = job.found.faults === undefined ? null : el("p", { id: "early" },
      job.found.faults ? faultWords(job.found.faults) : _("The plan can work"), _("; it costs {cost}. Now its distance to the best plan.", { cost: meur(job.found.cost_eur) }));
    if (this.phase !== p.phase) this.phase = p.phase;
    const stop = job.cancelled
      ? [el("span", { class: "quiet" }, _("Stopping …")), button(_("End at once, keep nothing"), () => this.cancel(true), { id: "end-now" })]
      : [button(job.kind === "audit" ? _("Cancel") : _("Cancel, keep the best so far"), () => this.cancel(false), { id: "cancel" })];
    if (this.kept?.job === job.number && this.kept.cancelled === job.cancelled) stop.splice(0, stop.length, ...this.kept.nodes);
    else this.kept = { job: job.number, cancelled: job.cancelled, nodes: stop };
    const bar = this.bar || (this.bar = el("div", { class: "running", "aria-hidden": "true" }));
    return [el("p", {}, el("strong", {}, KINDS[job.kind] + away), `: ${phaseWords(p.phase)}`), bar, found,
      job.kind === "audit" ? null : el("dl", { class: "facts", id: "progress" },
        facts.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)])),
      known ? curve(job.history) : null,
      el("p", { class: "quiet" }, unit(number(job.seconds, 0), "s")), el("div", { class: "bar" }, stop)].filter(Boolean);
  }

  failed(job) {
    return el("div", { class: "remark bad", role: "alert", id: "failed" }, el("p", {}, _(job.message)),
      job.problems.length ? el("ul", { class: "problems" }, job.problems.map((each) => el("li", {}, each))) : null);
  }

  summary(job) {
    if (job.kind === "solve") return job.outcome.cancelled ? _("Stopped; the best plan found so far is kept.") : _("The best plan is found.");
    if (job.kind === "audit") return _("Repair and improvements are ready.");
    return _("The plan is checked.");
  }

  ended(job) {
    const link = (to, words, id) => el("a", { href: `#/case/${job.case}/plan/${to}`, id }, words);
    return el("div", { class: "remark good", id: "ended" }, el("p", {}, this.summary(job), " ",
      job.kind === "solve" ? link(job.outcome.plan, _("Show “{name}”", { name: job.outcome.name }), "show-best") : null,
      job.outcome.repaired ? link(job.outcome.repaired.plan, _("Show “{name}”", { name: job.outcome.repaired.name }), "show-repaired") : null),
    job.outcome.sentences?.length ? el("p", {}, job.outcome.sentences.join(" ")) : null);
  }

  async cancel(atOnce) {
    const answer = await post("/api/job/cancel", { at_once: atOnce });
    if (answer.job?.state === "running") this.show(answer.job);
  }
}

// Plan found (upper line) and bound (lower line) over time, for the eye only: the numbers stand above.
export function curve(history) {
  const points = history.filter(([, incumbent, bound]) => incumbent !== null || bound !== null);
  const values = points.flatMap(([, incumbent, bound]) => [incumbent, bound]).filter((value) => value !== null);
  if (points.length < 3) return null;
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const [first, last] = [points[0][0], points.at(-1)[0]];
  const x = (seconds) => 4 + (292 * (seconds - first)) / Math.max(last - first, 1e-9);
  const y = (value) => 66 - (60 * (value - low)) / Math.max(high - low, 1e-9);
  const line = (which, name) => {
    const at = points.filter((point) => point[which] !== null).map((point) => `${x(point[0]).toFixed(1)},${y(point[which]).toFixed(1)}`);
    const made = document.createElementNS("http://www.w3.org/2000/svg", "polyline");
    made.setAttribute("points", at.join(" "));
    made.setAttribute("class", name);
    return made;
  };
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 300 70");
  svg.setAttribute("class", "curve");
  svg.setAttribute("aria-hidden", "true");
  svg.append(line(1, "found"), line(2, "limit"));
  return svg;
}
