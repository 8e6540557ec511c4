// Pages for a haulier: a lane whose cost follows the sliders.

import { number, part, say } from "./dom.js";

const one = (id) => document.getElementById(id);
const cost = one("cost");

// What the form asks, without sliders that were not moved.
function asked(form) {
  const given = new URLSearchParams();
  for (const field of form.elements) {
    if (field.name && field.value !== "" && (field.type !== "range" || field.dataset.moved)) given.set(field.name, field.value);
  }
  return `${window.location.pathname}?${given}`;
}

let busy = false;
let again = false;

// The answer for where the sliders stand; while one is on its way only the last move is asked next.
async function follow() {
  again = busy;
  if (busy) return;
  busy = true;
  one("answer").setAttribute("aria-busy", "true");
  const address = asked(cost);
  try {
    const page = await (await fetch(address, { credentials: "same-origin", cache: "no-store" })).text();
    one("answer").replaceWith(part(page, "answer"));
    window.history.replaceState(null, "", address);
    say((one("first") ?? one("wrong")).textContent);
  } finally {
    busy = false;
    one("answer").removeAttribute("aria-busy");
  }
  if (again) await follow();
}

if (cost) {
  cost.addEventListener("input", (event) => {
    if (event.target.type !== "range") return;
    event.target.dataset.moved = "yes";
    const shown = one(`${event.target.id}-value`);
    shown.textContent = number(Number(event.target.value), Number(shown.dataset.decimals));
    follow();
  });
  cost.addEventListener("change", (event) => { if (event.target.type !== "range") window.location.assign(asked(cost)); });
  cost.addEventListener("submit", (event) => event.preventDefault());
  one("back")?.addEventListener("click", () => {
    cost.querySelectorAll("[data-moved]").forEach((slider) => { delete slider.dataset.moved; });
    window.location.assign(asked(cost));
  });
}
one("main").dataset.ready = one("main").dataset.view;
