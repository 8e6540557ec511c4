// A sheet as it is drawn: rows, headings, problems at their cells, and what is chosen.

import { el, fill } from "./dom.js";
import { _ } from "./language.js";
import { Steps } from "./undo.js";

export const HEADINGS = { what: "What", place: "Where", to: "To", type: "Which", year: "From year", number: "How many", unit: "Unit", km: "km", note: "Remark" };
export const NUMERIC = new Set(["year", "number", "km"]);

export class Sheet {
  constructor(choices, { moved, key }) {
    Object.assign(this, { choices, moved, rows: [], drawn: [], problems: new Map(), marked: new Set(), named: [], input: null });
    Object.assign(this, { at: { row: 0, col: 0 }, from: { row: 0, col: 0 }, chosen: [], codes: new Map() });
    this.columns = choices.columns;
    this.headings = this.columns.map((name) => _(choices.headings?.[name] ?? HEADINGS[name]));
    this.fresh = this.columns.map(() => "");
    this.steps = new Steps(key);
    this.body = el("tbody");
    const head = el("tr", { "aria-rowindex": "1" }, el("th", { scope: "col", class: "no" }, el("span", { class: "unseen" }, _("Row"))),
      this.columns.map((name, c) => el("th", { scope: "col", class: this.kind(name) }, this.headings[c])));
    this.table = el("table", { role: "grid", class: "sheet", "aria-label": choices.label, "aria-describedby": "grid-help", "aria-multiselectable": "true" },
      el("thead", {}, head), this.body);
    this.lists = el("div", { hidden: true });
    this.node = el("div", { class: "sheet-frame" }, this.table, this.lists);
  }

  kind(name) {
    return NUMERIC.has(name) ? `n ${name}` : name;
  }

  // One more row than there are: a blank one to begin a new row in. Rows that did not change are left as they are drawn.
  draw() {
    const focused = this.table.contains(document.activeElement);
    const shown = [...this.rows, this.fresh];
    for (const place of [this.at, this.from]) place.row = Math.min(place.row, shown.length - 1);
    this.table.setAttribute("aria-rowcount", String(shown.length + 1));
    this.table.setAttribute("aria-colcount", String(this.columns.length + 1));
    while (this.body.childElementCount > shown.length) this.body.lastElementChild.remove();
    const lines = [...this.body.children];
    shown.forEach((row, r) => {
      if (r < lines.length && this.drawn[r] === row) return;
      const line = this.drawRow(row, r);
      if (r < lines.length) lines[r].replaceWith(line);
      else this.body.append(line);
    });
    this.drawn = shown;
    this.choose();
    if (focused) this.cell().focus();
  }

  drawRow(row, r) {
    const fresh = row === this.fresh;
    const cells = row.map((text, c) => {
      const cell = el("td", { role: "gridcell", class: this.kind(this.columns[c]), tabindex: "-1", "data-row": r, "data-col": c, "aria-colindex": c + 2 });
      this.write(cell, text, fresh && c === 0 ? _("new row") : "");
      return cell;
    });
    return el("tr", { "aria-rowindex": r + 2, class: fresh ? "fresh" : null },
      el("th", { scope: "row", class: "no" }, fresh ? "+" : String(r + 1)), cells);
  }

  write(cell, text, hint = "") {
    const name = this.choices.words[text];
    fill(cell, el("span", { class: "code" }, text),
      text && name ? el("span", { class: "name" }, name) : null, hint ? el("span", { class: "name" }, hint) : null);
  }

  // Problems as the server found them: {row, columns, what, hint}.
  mark(problems) {
    this.problems = new Map();
    for (const problem of problems) {
      if (problem.row === null) continue;
      for (const name of problem.columns) {
        this.problems.set(`${problem.row}/${this.columns.indexOf(name)}`, { ...problem, first: name === problem.columns[0] });
      }
    }
    for (const cell of this.marked) {
      cell.querySelector(".fault")?.remove();
      cell.classList.remove("bad");
      cell.removeAttribute("aria-invalid");
    }
    this.marked = new Set();
    for (const [place, problem] of this.problems) {
      const [row, col] = place.split("/").map(Number);
      const cell = this.cell({ row, col });
      if (!cell?.matches("td")) continue;
      this.marked.add(cell);
      cell.classList.add("bad");
      cell.setAttribute("aria-invalid", "true");
      if (problem.first) cell.append(el("span", { class: "fault" }, problem.what + (problem.hint ? `; ${problem.hint}` : "")));
    }
    this.moved(this.at);
  }

  highlight(rows) {
    for (const line of this.named) line.classList.remove("named");
    this.named = rows.map((row) => this.body.children[row]).filter(Boolean);
    for (const line of this.named) line.classList.add("named");
  }

  cell(at = this.at) {
    return this.body.children[at.row]?.children[at.col + 1];
  }

  cellOf(event) {
    return event.target.closest?.("td[data-row]");
  }

  // First and last row and column of what is chosen.
  get range() {
    const ends = (name) => [this.at[name], this.from[name]].sort((one, other) => one - other);
    return { rows: ends("row"), cols: ends("col") };
  }

  inRange(make) {
    const { rows: [top, bottom], cols: [left, right] } = this.range;
    const found = [];
    for (let row = top; row <= bottom; row += 1) for (let col = left; col <= right; col += 1) found.push(make(row, col));
    return found;
  }

  choose() {
    for (const cell of this.chosen) {
      cell.removeAttribute("aria-selected");
      cell.tabIndex = -1;
    }
    this.chosen = this.inRange((row, col) => this.cell({ row, col })).filter(Boolean);
    if (this.chosen.length > 1) for (const cell of this.chosen) cell.setAttribute("aria-selected", "true");
    this.cell().tabIndex = 0;
    this.chosen.push(this.cell());
  }

  go(row, col, { focus = true, extend = false } = {}) {
    this.at = { row: Math.max(0, Math.min(row, this.rows.length)), col: Math.max(0, Math.min(col, this.columns.length - 1)) };
    if (!extend) this.from = { ...this.at };
    this.choose();
    if (focus) {
      this.cell().focus();
      this.cell().scrollIntoView({ block: "nearest", inline: "nearest" });
    }
    this.moved(this.at);
  }

  goTo(cell, extend = false) {
    this.go(Number(cell.dataset.row), Number(cell.dataset.col), { extend });
  }

  text(at = this.at) {
    return this.rows[at.row]?.[at.col] ?? "";
  }

  problemAt(at = this.at) {
    return this.problems.get(`${at.row}/${at.col}`);
  }
}
