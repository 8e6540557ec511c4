// Making elements, and writing numbers as the report does. Text is never read as markup.

const THIN = "\u202f";
const NO_BREAK = "\u00a0";

export function el(name, given = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(given)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (key === "class") made.className = value;
    else if (key === "text") made.textContent = value;
    else made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

// Replace what is in a node; what is null or false is left out.
export function fill(node, ...children) {
  node.replaceChildren(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
}

export function button(text, press, given = {}) {
  return el("button", { type: "button", onclick: press, ...given }, text);
}

// A drawing made by the server; parsed without running anything, and the page's policy forbids scripts in it.
export function drawing(svg) {
  const parsed = new DOMParser().parseFromString(svg, "text/html").body.firstElementChild;
  return document.importNode(parsed, true);
}

// A part of a page made by the server, by its id; parsed without running anything, as a drawing is.
export function part(html, id) {
  return document.importNode(new DOMParser().parseFromString(html, "text/html").getElementById(id), true);
}

export function say(words) {
  const live = document.getElementById("live");
  live.textContent = "";
  window.setTimeout(() => { live.textContent = words; }, 30);
}

export function number(value, decimals = 0) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  const words = Math.abs(value).toFixed(decimals);
  const [whole, part] = words.split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, THIN) + (part ? `.${part}` : "");
  return (value < 0 && Number(words) !== 0 ? "−" : "") + grouped;
}

export function unit(words, name) {
  return `${words}${NO_BREAK}${name}`;
}

export function meur(eur, decimals = 2) {
  return unit(number(eur / 1e6, decimals), "MEUR");
}

export function percent(share, decimals = 1) {
  return unit(number(share * 100, decimals), "%");
}

export function day(seconds) {
  return new Date(seconds * 1000).toLocaleString("sv-SE", { dateStyle: "short", timeStyle: "short" });
}

export function clock(seconds) {
  return new Date(seconds * 1000).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
}

// A scrollable table of texts: `columns` of {heading, numeric}.
export function table(caption, columns, rows) {
  const head = el("tr", {}, columns.map((c) => el("th", { scope: "col", class: c.numeric ? "n" : null }, c.heading)));
  const body = rows.map((row) => el("tr", {}, row.map((cell, i) => (
    i === 0 ? el("th", { scope: "row", class: columns[i].numeric ? "n" : null }, cell)
      : el("td", { class: columns[i].numeric ? "n" : null }, cell)))));
  const made = el("table", {}, el("caption", {}, caption), el("thead", {}, head), el("tbody", {}, body));
  return el("div", { class: "wide", tabindex: "0", role: "region", "aria-label": caption }, made);
}
