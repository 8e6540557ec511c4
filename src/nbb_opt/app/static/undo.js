// What was typed, step by step: rows before and after every change.

const MOST = 500;

export class Steps {
  constructor() {
    this.past = [];
    this.future = [];
  }

  // Remember `rows` as they were before a change, and the cell it was made in.
  note(rows, at) {
    this.past.push({ rows, at });
    if (this.past.length > MOST) this.past.shift();
    this.future = [];
  }

  back(rows, at) {
    return move(this.past, this.future, rows, at);
  }

  forth(rows, at) {
    return move(this.future, this.past, rows, at);
  }
}

function move(from, to, rows, at) {
  if (!from.length) return null;
  const step = from.pop();
  to.push({ rows, at: step.at || at });
  return step;
}
