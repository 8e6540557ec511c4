// A spreadsheet: arrow keys, Enter, Escape and Tab, ranges with Shift, fill down with Ctrl+D, undo, the clipboard.

import { clipboardRows, codesOf, headerColumns } from "./cells.js";
import { el, say } from "./dom.js";
import { _ } from "./language.js";
import { HEADINGS, NUMERIC, Sheet } from "./sheet.js";

export class Grid extends Sheet {
  // `choices` are {columns, words, offers(row, column), headings, label, most}; `changed` is called with the rows after
  // every change, `moved` with the active cell; `key` is where this tab remembers what can be undone.
  constructor(choices, { changed, moved = () => {}, key = null }) {
    super(choices, { moved, key });
    this.changed = changed;
    this.table.addEventListener("keydown", (event) => this.key(event));
    this.table.addEventListener("mousedown", (event) => this.press(event));
    this.table.addEventListener("mouseover", (event) => { if (event.buttons === 1 && !this.input && this.cellOf(event)) this.goTo(this.cellOf(event), true); });
    this.table.addEventListener("dblclick", (event) => { if (this.cellOf(event)) this.edit(); });
    this.table.addEventListener("focusin", (event) => {
      if (event.target === this.table) this.cell()?.focus();
      else if (event.target.matches("td") && event.target !== this.cell()) this.goTo(event.target);
    });
    this.table.addEventListener("paste", (event) => this.paste(event));
    this.table.addEventListener("copy", (event) => this.copy(event));
  }

  load(rows, problems) {
    this.stopEditing(false);
    this.rows = rows.map((row) => [...row]);
    this.steps.restore(this.rows);
    this.draw();
    this.mark(problems);
  }

  press(event) {
    const cell = this.cellOf(event);
    if (!cell || event.target === this.input) return;
    event.preventDefault();
    this.stopEditing(true);
    const again = cell === document.activeElement;
    this.goTo(cell, event.shiftKey);
    if (again && window.matchMedia("(pointer: coarse)").matches) this.edit();
  }

  key(event) {
    if (this.input) {
      this.editingKey(event);
      return;
    }
    const { row, col } = this.at;
    const ctrl = event.ctrlKey || event.metaKey;
    const [last, right] = [this.rows.length, this.columns.length - 1];
    const moves = { ArrowUp: [ctrl ? 0 : row - 1, col], ArrowDown: [ctrl ? last : row + 1, col], ArrowLeft: [row, ctrl ? 0 : col - 1],
      ArrowRight: [row, ctrl ? right : col + 1], Home: [ctrl ? 0 : row, 0], End: [ctrl ? last : row, right], PageUp: [row - 10, col], PageDown: [row + 10, col] };
    const commands = { z: () => this.undo(event.shiftKey), y: () => this.undo(true), d: () => this.fillDown(), a: () => this.chooseAll() };
    if (ctrl && commands[event.key.toLowerCase()]) commands[event.key.toLowerCase()]();
    else if (moves[event.key]) this.go(...moves[event.key], { extend: event.shiftKey });
    else if (event.key === "Tab") {
      if (!this.tab(event.shiftKey)) return;
    } else if (event.key === "Enter" || event.key === "F2") this.edit();
    else if (event.key === "Delete" || event.key === "Backspace") this.put(this.inRange((r, c) => [r, c, ""]).filter(([r]) => r < last));
    else if (event.key === "Escape" && this.chosen.length > 2) this.go(row, col);
    else if (event.key === "Escape") (document.querySelector("#check:enabled") ?? document.querySelector("#plan-choice, #make"))?.focus();
    else if (event.key.length === 1 && !ctrl && !event.altKey) this.edit(event.key);
    else return;
    event.preventDefault();
  }

  chooseAll() {
    this.from = { row: 0, col: 0 };
    this.go(Math.max(0, this.rows.length - 1), this.columns.length - 1, { extend: true });
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
    const { row, col } = this.at;
    const name = this.columns[col];
    this.from = { ...this.at };
    this.choose();
    this.lists.replaceChildren(el("datalist", { id: "choices" }, this.offers(row, name).map((value) => (
      el("option", { value }, this.choices.words[value] || "")))));
    this.input = el("input", {
      type: "text", "aria-label": _("{heading}, row {row}", { heading: this.headings[col], row: row + 1 }), value: first ?? this.text(), list: "choices",
      autocomplete: "off", spellcheck: "false", inputmode: name === "year" ? "numeric" : NUMERIC.has(name) ? "decimal" : null,
    });
    this.input.addEventListener("blur", () => this.stopEditing(true));
    this.cell().replaceChildren(this.input);
    this.input.focus();
    if (first === null) this.input.select();
    else this.input.setSelectionRange(first.length, first.length);
  }

  offers(row, name) {
    return this.choices.offers(this.rows[row] ?? this.fresh, name).filter(Boolean);
  }

  stopEditing(keep) {
    if (!this.input) return;
    const typed = this.input.value;
    const { row, col } = this.at;
    this.input = null;
    this.write(this.cell(), this.text(), row === this.rows.length && col === 0 ? _("new row") : "");
    if (keep && typed !== this.text()) this.put([[row, col, typed]]);
    else this.mark(this.listed());
  }

  listed() {
    return [...new Set(this.problems.values())].filter((problem) => problem.first);
  }

  // Set cells ([row, col, text]) as one step that can be undone; a name that stands for a code is put as the code.
  // False if they are more than fit.
  put(cells) {
    const rows = [...this.rows];
    const own = new Set();
    for (const [row, col, text] of cells) {
      if (col >= this.columns.length) continue;
      while (rows.length <= row) rows.push(this.fresh);
      if (!own.has(row)) rows[row] = [...rows[row]];
      own.add(row);
      rows[row][col] = text;
    }
    for (const [row, col] of cells) if (rows[row]?.[col]) rows[row][col] = this.coded(rows[row], col);
    return this.done(rows);
  }

  coded(row, col) {
    const name = this.columns[col];
    const place = `${this.columns[0] === "what" ? row[0] : ""}/${name}`;
    if (NUMERIC.has(name) || name === "note") return row[col];
    if (!this.codes.has(place) || this.choices.changing) this.codes.set(place, codesOf(this.choices.offers(row, name).filter(Boolean), this.choices.words));
    return this.codes.get(place).get(row[col].toLowerCase()) ?? row[col];
  }

  fillDown() {
    const { rows: [top, bottom] } = this.range;
    const source = bottom > top ? top : top - 1;
    if (source >= 0) this.put(this.inRange((row, col) => [row, col, this.text({ row: source, col })]).filter(([row]) => row > source));
  }

  removeRow() {
    const { rows: [top, bottom] } = this.range;
    if (top >= this.rows.length) return;
    this.done(this.rows.toSpliced(top, bottom - top + 1));
    this.go(top, this.at.col);
    say(bottom > top ? _("Rows {first} to {last} removed", { first: top + 1, last: bottom + 1 }) : _("Row {row} removed", { row: top + 1 }));
  }

  done(rows) {
    while (rows.length && rows.at(-1).every((text) => text === "")) rows.pop();
    if (JSON.stringify(rows) === JSON.stringify(this.rows)) return true;
    if (rows.length > this.choices.most) {
      say(_("{count} rows are more than the {most} that a sheet holds; nothing was changed", { count: rows.length, most: this.choices.most }));
      return false;
    }
    this.steps.note(this.rows, rows, { ...this.at });
    this.rows = rows;
    this.tell();
    return true;
  }

  undo(forth = false) {
    const step = forth ? this.steps.forth(this.rows) : this.steps.back(this.rows);
    if (!step) {
      say(forth ? _("Nothing to do again") : _("Nothing to undo"));
      return;
    }
    this.rows = step.rows;
    this.tell();
    this.go(step.at.row, step.at.col);
    say(forth ? _("Done again") : _("Undone"));
  }

  tell() {
    this.draw();
    this.mark([]);
    this.changed(this.rows.map((row) => [...row]));
  }

  // Cells of a spreadsheet, from the chosen cell on, or below their headings if they come with a header; a single cell
  // goes into all that is chosen.
  paste(event) {
    if (this.input) return;
    event.preventDefault();
    const lines = clipboardRows(event.clipboardData.getData("text/plain"));
    const { rows: [row], cols: [col] } = this.range;
    const names = this.columns.map((name, c) => [name, HEADINGS[name].toLowerCase(), this.headings[c].toLowerCase()]);
    const header = headerColumns(lines[0], names);
    if (header) lines.shift();
    const single = lines.length === 1 && lines[0].length === 1 && !header;
    const done = this.put(single ? this.inRange((r, c) => [r, c, lines[0][0]])
      : lines.flatMap((line, r) => line.map((cell, c) => [row + r, header ? header[c] : col + c, cell])).filter(([, c]) => c >= 0));
    this.go(row, col);
    if (done) say(_("{count} rows pasted", { count: lines.length }));
  }

  copy(event) {
    if (this.input || window.getSelection()?.toString()) return;
    event.preventDefault();
    const { rows: [top, bottom], cols: [left, right] } = this.range;
    const lines = this.rows.slice(top, bottom + 1).map((row) => row.slice(left, right + 1).join("\t"));
    event.clipboardData.setData("text/plain", lines.join("\n"));
  }
}
