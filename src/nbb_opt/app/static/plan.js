// The plan: the list of plans, the grid, what the check found, and the buttons that start calculations.

import { casePath, get, planPath, post, put, remove, upload } from "./api.js";
import { ask, askName, tellError } from "./dialog.js";
import { button, el, fill, say } from "./dom.js";
import { _ } from "./language.js";
import { Grid } from "./grid.js";
import { JobPanel } from "./job.js";
import { showResult } from "./result.js";
import { Saver } from "./saver.js";
import { MOST } from "./undo.js";

const guarded = (work) => async (...given) => {
  try {
    await work(...given);
  } catch (error) {
    await tellError(error);
  }
};

export async function showPlan(main, found, wanted) {
  const listed = found.plans.find((plan) => plan.id === wanted) || found.plans[0];
  if (wanted && listed?.id !== wanted) say(_("That plan is not there any more."));
  if (!listed) {
    main.replaceChildren(el("section", { class: "card narrow" }, el("h1", {}, _("No plan yet")),
      button(_("Begin with today's fleet"), guarded(() => create(found, _("Today's fleet"), "today")), { class: "main" })));
    return null;
  }
  const plan = await get(planPath(found.id, listed.id));
  const view = new PlanView(main, found, plan);
  await view.start();
  return () => view.leave();
}

async function create(found, name, source) {
  const made = await post(`${casePath(found.id)}/plans`, { name, source });
  window.location.hash = `#/case/${found.id}/plan/${made.plan}`;
}

function offers(choices, [what], name) {
  if (name === "what") return choices.what;
  if (name === "place") return choices.places[what] || [];
  if (name === "type") return choices.types[what] || [];
  if (name === "year") return choices.years.map((each) => String(each.year));
  return [];
}

class PlanView {
  constructor(main, found, plan) {
    Object.assign(this, { main, found, plan });
    const saved = (answer) => { this.plan = answer; this.grid.mark(answer.problems); this.refresh(); };
    this.saver = new Saver(found.id, plan, {
      told: (words) => this.tellSaved(words), saved, reload: guarded((theirs) => this.reload(theirs)),
    });
    this.grid = new Grid({ ...found.choices, label: _("Fleet plan"), offers: (row, name) => offers(found.choices, row, name) }, {
      changed: (rows) => { this.saver.save(rows); this.tellSteps(); }, moved: (at) => this.tellCell(at), key: `steps/${found.id}/${plan.id}`,
    });
    this.job = new JobPanel(found, { done: guarded((job) => this.jobDone(job)), changed: () => this.refresh() });
    this.savedAt = el("span", { class: "quiet", id: "saved", role: "status" });
    this.cellNote = el("div", { class: "cell-note", id: "cell-note" });
    this.result = el("div", { id: "result" });
    this.noted = el("p", { id: "count", class: "quiet" });
    this.onFocus = () => this.look();
    this.onHide = () => { this.grid.stopEditing(true); this.saver.hold(); this.grid.steps.hold(this.grid.rows); };
  }

  async start() {
    this.main.replaceChildren(this.layout());
    const left = this.saver.left(this.plan);
    this.grid.load(left || this.plan.rows, left ? [] : this.plan.problems);
    this.tellSaved({ text: _("All changes are saved") });
    this.tellSteps();
    if (left) this.saver.save(left);
    this.refresh();
    await this.job.look();
    window.addEventListener("focus", this.onFocus);
    window.addEventListener("pagehide", this.onHide);
  }

  async leave() {
    this.grid.stopEditing(true);
    this.grid.steps.hold(this.grid.rows);
    window.removeEventListener("focus", this.onFocus);
    window.removeEventListener("pagehide", this.onHide);
    this.job.leave();
    await this.saver.settled();
  }

  layout() {
    const choose = el("select", { id: "plan-choice", onchange: () => { window.location.hash = `#/case/${this.found.id}/plan/${choose.value}`; } },
      this.found.plans.map((each) => el("option", { value: each.id, selected: each.id === this.plan.id }, each.name)));
    const file = el("input", { type: "file", id: "plan-file", class: "unseen", tabindex: "-1", accept: ".csv,.xlsx", onchange: guarded(async () => {
      const chosen = file.files[0];
      file.value = "";
      const made = await upload(`${casePath(this.found.id)}/upload`, chosen);
      window.location.hash = `#/case/${this.found.id}/plan/${made.plan}`;
    }) , "aria-label": _("Plan file") });
    const files = `${planPath(this.found.id, this.plan.id)}/files`;
    this.checkButton = button(_("Check plan"), guarded(() => this.calculate("check")), { class: "main", id: "check" });
    this.solveButton = button(_("Find the best plan"), guarded(() => this.calculate("solve")), { id: "solve" });
    this.auditButton = button(_("Repair and improve"), guarded(() => this.calculate("audit")), { id: "audit" });
    return el("div", { class: "columns" },
      el("section", { class: "card wide-card", "aria-labelledby": "plan-name" },
        el("h1", { id: "plan-name", class: "unseen" }, `${_("Plan")} ${this.plan.name}`),
        el("div", { class: "bar" }, el("label", { for: "plan-choice" }, _("Plan")), choose,
          button(_("New"), guarded(() => this.make("today", _("New plan"))), { title: _("A plan that begins with today's fleet") }),
          button(_("Copy"), guarded(() => this.make(this.plan.id, _("{name}, copy", { name: this.plan.name })))),
          button(_("Rename"), guarded(() => this.rename()), { id: "rename" }), button(_("Delete"), guarded(() => this.drop())),
          button(_("Load file"), () => file.click(), { id: "load-plan" }), file,
          el("details", { class: "menu" }, el("summary", {}, _("Download")), el("ul", {},
            el("li", {}, el("a", { href: `${files}/plan.xlsx`, download: "" }, _("This plan, Excel"))),
            el("li", {}, el("a", { href: `${files}/plan.csv`, download: "" }, _("This plan, CSV"))),
            el("li", {}, el("a", { href: `${casePath(this.found.id)}/instance.xlsx`, download: "" }, _("All input, Excel")))))),
        el("div", { class: "bar" },
          button("Undo", () => this.grid.undo(), { id: "undo" }), button("Redo", () => this.grid.undo(true), { id: "redo" }),
          button(_("Fill down"), () => this.grid.fillDown(), { id: "fill-down" }),
          button(_("Remove row"), () => this.grid.removeRow(), { id: "remove-row" }), this.savedAt, this.cellNote),
        this.grid.node, this.noted,
        el("p", { class: "quiet", id: "grid-help" },
          _("Arrow keys move, with Shift they choose several cells. Type or press Enter to change a cell, Enter keeps it, Escape leaves it as it was, Delete empties it."), " ",
          _("Ctrl+Z undoes, Ctrl+D fills down. Cells copied from Excel can be pasted, with or without their header. Names and codes both do. A number holds from its year until another row says otherwise."))),
      el("aside", { class: "side" },
        el("section", { class: "card", "aria-label": _("Calculate") },
          el("div", { class: "bar" }, this.checkButton, this.solveButton, this.auditButton), this.settings(), this.job.node),
        el("section", { class: "card", "aria-label": _("What the check found") }, this.result)));
  }

  settings() {
    const pick = (id, label, options, first) => [el("label", { for: id }, label),
      el("select", { id }, options.map(([value, words]) => el("option", { value, selected: value === first }, words)))];
    return el("details", { class: "settings" }, el("summary", {}, _("Time and precision")), el("div", { class: "fields" },
      pick("time-limit", _("At most"), [["20", _("20 seconds")], ["60", _("1 minute")], ["300", _("5 minutes")], ["1800", _("30 minutes")]], "60"),
      pick("gap", _("Close enough to the best"), [["0.01", "1 %"], ["0.001", "0.1 %"], ["0.0001", "0.01 %"], ["0", _("exactly")]], "0.001")));
  }

  async calculate(kind) {
    this.grid.stopEditing(true);
    await this.saver.settled();
    const limits = { time_limit_s: Number(document.getElementById("time-limit").value), gap: Number(document.getElementById("gap").value) };
    await this.job.begin(this.plan.id, kind, limits);
  }

  async jobDone(job) {
    if (job.state !== "done") return;
    this.found = await get(casePath(this.found.id));
    if (job.kind === "check" && job.plan === this.plan.id) {
      const fresh = await get(planPath(this.found.id, this.plan.id));
      this.plan = { ...fresh, version: this.plan.version, rows: this.plan.rows };
      this.refresh();
    } else if (job.kind !== "check" && job.case === this.found.id) {
      this.plan = await get(planPath(this.found.id, this.plan.id));
      this.refresh();
    }
    this.listPlans();
  }

  listPlans() {
    const choose = document.getElementById("plan-choice");
    choose?.replaceChildren(...this.found.plans.map((each) => el("option", { value: each.id, selected: each.id === this.plan.id }, each.name)));
  }

  refresh() {
    const faulty = this.plan.problems.length;
    this.noted.textContent = faulty === 1 ? _("1 cell needs to be put right before the plan can be checked.") : faulty ? _("{count} cells need to be put right before the plan can be checked.", { count: faulty }) : "";
    this.noted.className = faulty ? "bad-text" : "quiet";
    const busy = this.job.running;
    this.checkButton.disabled = busy || faulty > 0;
    this.auditButton.disabled = busy || faulty > 0;
    this.solveButton.disabled = busy;
    showResult(this.result, this.found, this.plan, (rows) => { this.grid.highlight(rows); this.grid.go(rows[0], 4); });
  }

  tellSteps() {
    const { past, future } = this.grid.steps;
    for (const [id, steps] of [["undo", past], ["redo", future]]) {
      const pressed = document.getElementById(id);
      pressed.textContent = `${id === "undo" ? _("Undo") : _("Redo")} (${steps.length})`;
      pressed.title = _("{count} steps left; the last {most} are kept", { count: steps.length, most: MOST });
    }
  }

  tellSaved({ text, bad }) {
    this.savedAt.textContent = text;
    this.savedAt.className = bad ? "bad-text" : "quiet";
  }

  tellCell() {
    const problem = this.grid.problemAt();
    if (!problem) {
      this.cellNote.replaceChildren();
      return;
    }
    const fix = /^did you mean '?([^'?]+)'?\?$/.exec(problem.hint);
    const { row, col } = this.grid.at;
    fill(this.cellNote, el("span", {}, `${_("Row")} ${row + 1}: “${this.grid.text()}” ${problem.what}. ${problem.hint && !fix ? problem.hint : ""}`),
      fix ? button(_("Put in {text}", { text: fix[1] }), () => { this.grid.put([[row, col, fix[1]]]); this.grid.go(row, col); }, { id: "fix" }) : null);
  }

  async make(source, name) {
    await this.saver.settled();
    const given = await askName(_("A new plan"), name);
    if (given) await create(this.found, given, source);
  }

  async rename() {
    await this.saver.settled();
    const given = await askName(_("Another name for this plan"), this.plan.name);
    if (!given) return;
    const answer = await put(planPath(this.found.id, this.plan.id), { version: this.saver.version, name: given });
    this.plan = { ...this.plan, name: answer.name };
    document.getElementById("plan-name").textContent = `${_("Plan")} ${answer.name}`;
    this.found = await get(casePath(this.found.id));
    this.listPlans();
  }

  async drop() {
    const sure = await ask(_("Delete “{name}”?", { name: this.plan.name }), el("p", {}, _("It goes to the folder “deleted” of the work folder.")),
      [{ value: "yes", text: _("Delete"), kind: "danger" }, { value: "no", text: _("Keep it") }]);
    if (sure !== "yes") return;
    await this.saver.settled();
    await remove(planPath(this.found.id, this.plan.id));
    window.location.hash = `#/case/${this.found.id}/plan`;
    say(_("The plan was deleted"));
  }

  // Show what another window saved, if nothing typed here is on its way.
  async look() {
    if (!this.saver.idle || this.saver.asking || this.grid.input) return;
    const fresh = await get(planPath(this.found.id, this.plan.id)).catch(() => null);
    if (fresh && fresh.version > this.saver.version && this.saver.idle && !this.grid.input) {
      await this.reload(fresh);
      this.tellSaved({ text: _("Changed in another window just now") });
    }
  }

  async reload(fresh) {
    this.found = await get(casePath(this.found.id));
    this.listPlans();
    if (!fresh) return;
    this.plan = fresh;
    this.saver.version = fresh.version;
    this.grid.load(fresh.rows, fresh.problems);
    this.refresh();
  }
}
