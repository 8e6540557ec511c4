// The plan as a spreadsheet: arrow keys, Enter, Escape and Tab; each problem stands in its cell.

import { el, fill, say } from "./dom.js";
import { Steps } from "./undo.js";

const HEADINGS = { what: "What", place: "Where", type: "Which", year: "From year", number: "How many", note: "Remark" };
const NUMERIC = new Set(["year", "number"]);
const blank = () => ["", "", "", "", "", ""];

export class Grid {
  // `choices` come from the server; `changed` is called with the rows after every change, `moved` with the active cell.
  constructor(choices, { changed, moved }) {
    Object.assign(this, { choices, changed, moved, rows: [], problems: new Map(), at: { row: 0, col: 0 }, input: null });
    this.columns = choices.columns;
    this.steps = new Steps();
    this.body = el("tbody");
    const head = el("tr", { "aria-rowindex": "1" }, el("th", { scope: "col", class: "no" }, el("span", { class: "unseen" }, "Row")),
      this.columns.map((name) => el("th", { scope: "col", class: NUMERIC.has(name) ? `n ${name}` : name }, HEADINGS[name])));
    this.table = el("table", { role: "grid", class: "sheet", "aria-label": "Fleet plan", "aria-describedby": "grid-help" },
      el("thead", {}, head), this.body);
    this.lists = el("div", { hidden: true });
    this.node = el("div", { class: "sheet-frame" }, this.table, this.lists);
    this.table.addEventListener("keydown", (event) => this.key(event));
    this.table.addEventListener("mousedown", (event) => this.press(event));
    this.table.addEventListener("dblclick", (event) => { if (this.cellOf(event)) this.edit(); });
    this.table.addEventListener("focusin", (event) => { if (event.target === this.table) this.cell()?.focus(); });
    this.table.addEventListener("paste", (event) => this.paste(event));
    this.table.addEventListener("copy", (event) => this.copy(event));
  }

  load(rows, problems) {
    this.stopEditing(false);
    this.rows = rows.map((row) => [...row]);
    this.draw();
    this.mark(problems);
  }

  // One more row than the plan has: a blank one to begin a new row in.
  draw() {
    const focused = this.table.contains(document.activeElement);
    const shown = [...this.rows, blank()];
    this.at = { row: Math.min(this.at.row, shown.length - 1), col: this.at.col };
    this.table.setAttribute("aria-rowcount", String(shown.length + 1));
    this.table.setAttribute("aria-colcount", String(this.columns.length + 1));
    this.body.replaceChildren(...shown.map((row, r) => this.drawRow(row, r)));
    if (focused) this.cell().focus();
  }

  drawRow(row, r) {
    const fresh = r === this.rows.length;
    const cells = row.map((text, c) => {
      const cell = el("td", {
        role: "gridcell", class: NUMERIC.has(this.columns[c]) ? `n ${this.columns[c]}` : this.columns[c],
        tabindex: r === this.at.row && c === this.at.col ? "0" : "-1", "data-row": r, "data-col": c, "aria-colindex": c + 2,
      });
      this.write(cell, text, fresh && c === 0 ? "new row" : "");
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
    for (const cell of this.body.querySelectorAll("td")) {
      const problem = this.problems.get(`${cell.dataset.row}/${cell.dataset.col}`);
      cell.querySelector(".fault")?.remove();
      cell.classList.toggle("bad", Boolean(problem));
      if (problem) cell.setAttribute("aria-invalid", "true");
      else cell.removeAttribute("aria-invalid");
      if (problem?.first) {
        const words = problem.what + (problem.hint ? `; ${problem.hint}` : "");
        cell.append(el("span", { class: "fault" }, words));
      }
    }
    this.moved(this.at);
  }

  highlight(rows) {
    for (const line of this.body.children) line.classList.remove("named");
    for (const row of rows) this.body.children[row]?.classList.add("named");
  }

  cell(at = this.at) {
    return this.body.children[at.row]?.children[at.col + 1];
  }

  cellOf(event) {
    return event.target.closest?.("td[data-row]");
  }

  go(row, col, { focus = true } = {}) {
    this.cell()?.setAttribute("tabindex", "-1");
    this.at = { row: Math.max(0, Math.min(row, this.rows.length)), col: Math.max(0, Math.min(col, this.columns.length - 1)) };
    const cell = this.cell();
    cell.setAttribute("tabindex", "0");
    if (focus) {
      cell.focus();
      cell.scrollIntoView({ block: "nearest", inline: "nearest" });
    }
    this.moved(this.at);
  }

  text(at = this.at) {
    return this.rows[at.row]?.[at.col] ?? "";
  }

  problemAt(at = this.at) {
    return this.problems.get(`${at.row}/${at.col}`);
  }

  press(event) {
    const cell = this.cellOf(event);
    if (!cell || event.target === this.input) return;
    event.preventDefault();
    this.stopEditing(true);
    const again = cell === document.activeElement;
    this.go(Number(cell.dataset.row), Number(cell.dataset.col));
    if (again && window.matchMedia("(pointer: coarse)").matches) this.edit();
  }

  key(event) {
    if (this.input) {
      this.editingKey(event);
      return;
    }
    const { row, col } = this.at;
    const moves = { ArrowUp: [row - 1, col], ArrowDown: [row + 1, col], ArrowLeft: [row, col - 1], ArrowRight: [row, col + 1],
      Home: [event.ctrlKey ? 0 : row, 0], End: [event.ctrlKey ? this.rows.length : row, this.columns.length - 1],
      PageUp: [row - 10, col], PageDown: [row + 10, col] };
    const ctrl = event.ctrlKey || event.metaKey;
    if (ctrl && event.key.toLowerCase() === "z") this.undo(event.shiftKey);
    else if (ctrl && event.key.toLowerCase() === "y") this.undo(true);
    else if (moves[event.key]) this.go(...moves[event.key]);
    else if (event.key === "Tab") {
      if (!this.tab(event.shiftKey)) return;
    } else if (event.key === "Enter" || event.key === "F2") this.edit();
    else if (event.key === "Delete" || event.key === "Backspace") this.put([[row, col, ""]]);
    else if (event.key === "Escape") (document.querySelector("#check:enabled") ?? document.getElementById("plan-choice"))?.focus();
    else if (event.key.length === 1 && !ctrl && !event.altKey) this.edit(event.key);
    else return;
    event.preventDefault();
  }

  // To the next cell, over the ends of rows; false at the ends of the table, where Tab leaves it.
  tab(back) {
    const flat = this.at.row * this.columns.length + this.at.col + (back ? -1 : 1);
    if (flat < 0 || flat >= (this.rows.length + 1) * this.columns.length) return false;
    this.go(Math.floor(flat / this.columns.length), flat % this.columns.length);
    return true;
  }

  editingKey(event) {
    const { row, col } = this.at;
    if (event.key === "Enter") {
      this.stopEditing(true);
      this.go(row + (event.shiftKey ? -1 : 1), col);
    } else if (event.key === "Escape") {
      this.stopEditing(false);
      this.go(row, col);
    } else if (event.key === "Tab") {
      this.stopEditing(true);
      if (!this.tab(event.shiftKey)) return;
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  edit(first = null) {
    const cell = this.cell();
    const { row, col } = this.at;
    const name = this.columns[col];
    this.lists.replaceChildren(el("datalist", { id: "choices" }, this.offers(row, name).map((value) => (
      el("option", { value }, this.choices.words[value] || "")))));
    this.input = el("input", {
      type: "text", "aria-label": `${HEADINGS[name]}, row ${row + 1}`, value: first ?? this.text(), list: "choices",
      autocomplete: "off", spellcheck: "false", inputmode: name === "number" ? "decimal" : name === "year" ? "numeric" : null,
    });
    this.input.addEventListener("blur", () => this.stopEditing(true));
    cell.replaceChildren(this.input);
    this.input.focus();
    if (first === null) this.input.select();
    else this.input.setSelectionRange(first.length, first.length);
  }

  offers(row, name) {
    const what = this.rows[row]?.[0] ?? "";
    if (name === "what") return this.choices.what;
    if (name === "place") return (this.choices.places[what] || []).filter(Boolean);
    if (name === "type") return this.choices.types[what] || [];
    if (name === "year") return this.choices.years.map((each) => String(each.year));
    return [];
  }

  stopEditing(keep) {
    if (!this.input) return;
    const typed = this.input.value;
    const { row, col } = this.at;
    this.input = null;
    const cell = this.cell();
    this.write(cell, this.text(), row === this.rows.length && col === 0 ? "new row" : "");
    if (keep && typed !== this.text()) this.put([[row, col, typed]]);
    else this.mark(this.listed());
  }

  listed() {
    return [...new Set(this.problems.values())].filter((problem) => problem.first);
  }

  // Set cells ([row, col, text]) as one step that can be undone.
  put(cells) {
    const before = this.rows.map((row) => [...row]);
    for (const [row, col, text] of cells) {
      while (this.rows.length <= row) this.rows.push(blank());
      if (col < this.columns.length) this.rows[row][col] = text;
    }
    this.done(before);
  }

  removeRow() {
    const { row } = this.at;
    if (row >= this.rows.length) return;
    const before = this.rows.map((each) => [...each]);
    this.rows.splice(row, 1);
    this.done(before);
    this.go(row, this.at.col);
    say(`Row ${row + 1} removed`);
  }

  done(before) {
    while (this.rows.length && this.rows.at(-1).every((text) => text === "")) this.rows.pop();
    if (JSON.stringify(before) === JSON.stringify(this.rows)) return;
    this.steps.note(before, { ...this.at });
    this.tell();
  }

  undo(forth = false) {
    const step = forth ? this.steps.forth(this.rows, this.at) : this.steps.back(this.rows, this.at);
    if (!step) {
      say(forth ? "Nothing to do again" : "Nothing to undo");
      return;
    }
    this.rows = step.rows.map((row) => [...row]);
    this.tell();
    this.go(step.at.row, step.at.col);
    say(forth ? "Done again" : "Undone");
  }

  tell() {
    this.draw();
    this.mark([]);
    this.changed(this.rows.map((row) => [...row]));
  }

  paste(event) {
    if (this.input) return;
    event.preventDefault();
    const text = event.clipboardData.getData("text/plain").replace(/\r\n?/g, "\n").replace(/\n$/, "");
    const lines = text.split("\n").map((line) => line.split("\t"));
    const { row, col } = this.at;
    this.put(lines.flatMap((line, r) => line.map((cell, c) => [row + r, col + c, cell.trim()])));
    this.go(row, col);
    say(`${lines.length} rows pasted`);
  }

  copy(event) {
    if (this.input || window.getSelection()?.toString()) return;
    event.preventDefault();
    event.clipboardData.setData("text/plain", this.text());
  }
}
