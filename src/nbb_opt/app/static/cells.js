// Cells of a sheet as texts: what the clipboard holds, headers, names put into codes.

// Rows of cells of a text copied from a spreadsheet; a cell in quotes may hold tabs and line ends.
export function clipboardRows(text) {
  const rows = [[]];
  const cell = /("(?:[^"]|"")*"(?=\t|\n|$)|[^\t\n]*)(\t|\n|$)/gy;
  const plain = text.replace(/\r\n?/g, "\n").replace(/\n$/, "");
  for (let found = cell.exec(plain); found; found = cell.exec(plain)) {
    const [, given, end] = found;
    rows.at(-1).push((given.startsWith('"') && given.endsWith('"') && given.length > 1 ? given.slice(1, -1).replaceAll('""', '"') : given).replace(/\s+/g, " ").trim());
    if (end === "\n") rows.push([]);
    if (end === "") break;
  }
  return rows;
}

// The column of each cell of a header (-1 for one that is none of ours), or null if the line is no header.
export function headerColumns(line, namesOf) {
  const places = line.map((cell) => namesOf.findIndex((names) => names.includes(cell.toLowerCase())));
  const ours = places.filter((place) => place >= 0);
  return ours.length > 1 && ours.length * 2 > line.filter((cell) => cell).length && new Set(ours).size === ours.length ? places : null;
}

// Codes by everything a person may write for them, in small letters.
export function codesOf(offers, words) {
  const codes = new Map();
  for (const code of offers) if (words[code]) codes.set(words[code].toLowerCase(), code);
  for (const code of offers) codes.set(code.toLowerCase(), code);
  return codes;
}
