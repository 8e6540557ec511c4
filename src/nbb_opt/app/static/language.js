// The language of the page, and phrases in it: {names} are filled in.

import phrases from "./texts.js";

export function _(phrase, given = {}) {
  return (phrases[phrase] ?? phrase).replace(/\{(\w+)\}/g, (all, name) => given[name] ?? all);
}

// A sentence of an audit, kept as the phrase it was made of with what was filled in, which may be phrases again.
export function said(record) {
  if (typeof record === "string") return record;
  if (Array.isArray(record)) return record.map(said).join("; ");
  return _(record.phrase, Object.fromEntries(Object.entries(record.given).map(([name, part]) => [name, said(part)])));
}

document.getElementById("language")?.addEventListener("change", (event) => {
  document.cookie = `${document.body.dataset.cookie}=${event.target.value}; path=/; samesite=strict; max-age=31536000`;
  window.location.reload();
});
