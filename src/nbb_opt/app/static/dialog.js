// Questions that need an answer, and lists of problems.

import { button, el } from "./dom.js";
import { _ } from "./language.js";

// Shows a dialog with one button for each of `answers` ({value, text, kind}); resolves to the value chosen,
// or to null for Escape (not possible if `must` is set).
export function ask(title, body, answers, { must = false } = {}) {
  const box = document.getElementById("dialog");
  return new Promise((resolve) => {
    let chosen = null;
    const choose = (value) => { chosen = value; box.close(); };
    const buttons = answers.map((a) => button(a.text, () => choose(a.value), { class: a.kind || null, "data-answer": a.value }));
    box.replaceChildren(el("h2", { id: "dialog-title" }, title), el("div", {}, body), el("div", { class: "buttons" }, buttons));
    const hold = (event) => { if (must) event.preventDefault(); };
    const keys = (event) => { if (must && event.key === "Escape") event.preventDefault(); };
    box.addEventListener("cancel", hold);
    box.addEventListener("keydown", keys);
    box.addEventListener("close", () => {
      box.removeEventListener("cancel", hold);
      box.removeEventListener("keydown", keys);
      resolve(chosen);
    }, { once: true });
    box.showModal();
  });
}

export async function askName(title, first) {
  const field = el("input", { type: "text", id: "name-field", maxlength: "80", value: first, autocomplete: "off" });
  const body = el("form", {
    method: "dialog",
    onsubmit: (event) => { event.preventDefault(); document.querySelector("#dialog [data-answer=ok]").click(); },
  }, el("label", { for: "name-field" }, _("Name of the plan")), field);
  const answer = ask(title, body, [{ value: "ok", text: "OK", kind: "main" }, { value: "no", text: _("Cancel") }]);
  field.focus();
  field.select();
  return (await answer) === "ok" && field.value.trim() ? field.value.trim() : null;
}

export async function tellError(error, title = _("That did not work")) {
  const list = error.problems?.length
    ? el("ul", { class: "problems", tabindex: "0" }, error.problems.map((problem) => el("li", {}, problem))) : null;
  await ask(title, [el("p", {}, error.message), list], [{ value: "ok", text: _("Close"), kind: "main" }]);
}
