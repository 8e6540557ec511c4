// The language of the page, and phrases in it: {names} are filled in.

import phrases from "./texts.js";

export function _(phrase, given = {}) {
  return (phrases[phrase] ?? phrase).replace(/\{(\w+)\}/g, (all, name) => given[name] ?? all);
}

document.getElementById("language")?.addEventListener("change", (event) => {
  document.cookie = `${document.body.dataset.cookie}=${event.target.value}; path=/; samesite=strict; max-age=31536000`;
  window.location.reload();
});
