// What was typed, step by step: for every change the rows that went and those that came, kept over a reload.

export const MOST = 500;
const MOST_LETTERS = 2e6; // of what a tab remembers

export class Steps {
  constructor(key = null) {
    Object.assign(this, { key, past: [], future: [] });
  }

  // Remember a change, and the cell it was made in.
  note(before, after, at) {
    let first = 0;
    while (first < before.length && first < after.length && same(before[first], after[first])) first += 1;
    let last = 0;
    while (last < Math.min(before.length, after.length) - first && same(before[before.length - 1 - last], after[after.length - 1 - last])) last += 1;
    this.past.push({ first, went: before.slice(first, before.length - last), came: after.slice(first, after.length - last), at });
    if (this.past.length > MOST) this.past.shift();
    this.future = [];
  }

  back(rows) {
    const step = this.past.pop();
    if (!step) return null;
    this.future.push(step);
    return { rows: rows.toSpliced(step.first, step.came.length, ...step.went), at: step.at };
  }

  forth(rows) {
    const step = this.future.pop();
    if (!step) return null;
    this.past.push(step);
    return { rows: rows.toSpliced(step.first, step.went.length, ...step.came), at: step.at };
  }

  // The page goes away: this tab remembers the steps, the latest first, as far as it has room.
  hold(rows) {
    if (!this.key) return;
    const kept = [];
    let letters = 0;
    for (const step of this.past.toReversed()) {
      letters += JSON.stringify(step).length;
      if (letters > MOST_LETTERS) break;
      kept.unshift(step);
    }
    window.sessionStorage.setItem(this.key, JSON.stringify({ rows: sign(rows), past: kept, future: letters > MOST_LETTERS ? [] : this.future }));
  }

  // The steps that were remembered, if they lead to these rows.
  restore(rows) {
    const held = JSON.parse((this.key && window.sessionStorage.getItem(this.key)) || "null");
    if (held?.rows === sign(rows)) Object.assign(this, { past: held.past, future: held.future });
  }
}

const same = (one, other) => one === other || one.every((text, i) => text === other[i]);

function sign(rows) {
  let found = rows.length;
  for (const letter of JSON.stringify(rows)) found = (found * 31 + letter.codePointAt(0)) | 0;
  return found;
}
