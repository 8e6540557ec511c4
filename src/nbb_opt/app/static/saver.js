// Keeps a plan on disk after every change, one save at a time, and asks when another window saved in between.

import { casePath, get, planPath, post, put } from "./api.js";
import { ask } from "./dialog.js";
import { clock, el } from "./dom.js";
import { _ } from "./language.js";

const AGAIN_MS = 2000;

export class Saver {
  // `told` shows {text, bad}; `saved` gets the server's answer; `reload` gets a plan that replaces the one shown.
  constructor(caseId, plan, { told, saved, reload }) {
    Object.assign(this, { caseId, id: plan.id, name: plan.name, version: plan.version, told, saved, reload });
    this.waiting = null;
    this.running = null;
    this.asking = false;
    this.sending = null;
    this.key = `unsaved/${caseId}/${plan.id}`;
  }

  save(rows) {
    this.waiting = rows;
    this.told({ text: _("Saving …") });
    this.running ??= this.work().finally(() => { this.running = null; });
    return this.running;
  }

  // Nothing typed is still on its way.
  get idle() {
    return this.waiting === null && this.running === null;
  }

  // The page goes away with something unsaved: this tab remembers it until it comes back.
  hold() {
    if (this.idle) return;
    const left = { rows: this.waiting ?? this.sending, version: this.version + (this.running ? 1 : 0) };
    window.sessionStorage.setItem(this.key, JSON.stringify(left));
  }

  // What was held when this tab was last left, if the plan on disk is not that already; to be saved on top of it.
  left(plan) {
    const left = JSON.parse(window.sessionStorage.getItem(this.key) || "null");
    window.sessionStorage.removeItem(this.key);
    if (!left?.rows || JSON.stringify(left.rows) === JSON.stringify(plan.rows)) return null;
    this.version = Math.min(left.version, plan.version);
    return left.rows;
  }

  async settled() {
    while (this.running) await this.running;
  }

  async work() {
    while (this.waiting !== null) {
      const rows = this.waiting;
      this.waiting = null;
      this.sending = rows;
      try {
        const answer = await put(planPath(this.caseId, this.id), { version: this.version, rows }, { keepalive: JSON.stringify(rows).length < 50000 });
        this.version = answer.version;
        if (this.waiting === null) {
          this.saved(answer);
          this.told({ text: _("Saved {time}", { time: clock(answer.changed_s) }) });
        }
      } catch (error) {
        const mine = this.waiting ?? rows;
        if (error.answer?.conflict) {
          this.waiting = null;
          await this.settle(mine);
        } else {
          this.waiting = mine;
          this.told({ text: `${_("Not saved.")} ${error.message}`, bad: true });
          await new Promise((go) => { window.setTimeout(go, AGAIN_MS); });
        }
      }
    }
  }

  // Two windows changed the plan: both versions are kept, one under a name of its own.
  async settle(mine) {
    this.asking = true;
    const theirs = await get(planPath(this.caseId, this.id));
    const words = el("p", {}, _("“{name}” was also changed in another window at {time}.", { name: theirs.name, time: clock(theirs.changed_s) }), " ",
      _("Nothing is lost: the version you do not go on with is kept as a plan of its own."));
    const answer = await ask(_("Changed in two windows"), words, [
      { value: "mine", text: _("Go on with mine"), kind: "main" }, { value: "theirs", text: _("Go on with the other") },
    ], { must: true });
    const plans = `${casePath(this.caseId)}/plans`;
    if (answer === "mine") {
      await post(plans, { name: _("{name}, other window", { name: theirs.name }), rows: theirs.rows });
      this.version = theirs.version;
      this.waiting = mine;
    } else {
      await post(plans, { name: _("{name}, this window", { name: theirs.name }), rows: mine });
      this.version = theirs.version;
    }
    this.asking = false;
    this.reload(answer === "mine" ? null : theirs);
  }
}
