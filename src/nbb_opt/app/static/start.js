// The first page: go on, open an example, or upload a workbook.

import { casePath, post, upload } from "./api.js";
import { button, el, say } from "./dom.js";

const go = (id) => { window.location.hash = `#/case/${id}/plan`; };

export function showStart(main, start) {
  const told = el("div", { id: "upload-result" });
  const file = el("input", { type: "file", id: "workbook", accept: ".xlsx", onchange: () => send(file.files[0]) });
  const drop = el("div", {
    class: "drop",
    ondragover: (event) => { event.preventDefault(); drop.classList.add("over"); },
    ondragleave: () => drop.classList.remove("over"),
    ondrop: (event) => { event.preventDefault(); drop.classList.remove("over"); send(event.dataTransfer.files[0]); },
  }, el("label", { for: "workbook" }, "Choose your workbook (.xlsx)"), file, el("p", { class: "quiet" }, "or drop it here; 30 MB at most"));

  async function send(chosen) {
    if (!chosen) return;
    told.replaceChildren(el("p", { role: "status" }, `Reading ${chosen.name} …`));
    try {
      go((await upload("/api/upload", chosen)).case);
    } catch (error) {
      told.replaceChildren(problems(chosen.name, error));
      say(`${chosen.name}: ${error.message}`);
    }
    file.value = "";
  }

  async function example(name) {
    window.location.assign((await post("/api/open", { shipped: name })).home);
  }

  async function template() {
    const opened = await post("/api/open", { shipped: "haulier" });
    window.location.assign(`${casePath(opened.case)}/instance.xlsx`);
  }

  const cases = start.cases.map((each) => el("li", {}, el("a", { href: each.home }, each.title),
    el("span", { class: "quiet" }, ` opened ${new Date(each.opened_s * 1000).toLocaleDateString("en-GB")}`)));
  main.replaceChildren(
    el("section", { class: "card narrow" }, el("h1", {}, "Test your fleet plan"),
      el("p", { class: "lead" }, "Can it work in January? What does it cost? How far is it from the best plan?"),
      cases.length ? [el("h2", {}, "Go on with"), el("ul", { class: "cases" }, cases)] : null,
      el("h2", {}, "Your own company"), drop, told,
      el("p", {}, "Not filled in one yet? ", button("Download an example workbook", template, { class: "link" }),
        ", put in your own figures, and upload it here."),
      el("h2", {}, "Look at an example"),
      el("ul", { class: "cases" }, start.shipped.map((each) => el("li", {}, button(each.title, () => example(each.name), { class: "link", "data-example": each.name }),
        el("span", { class: "quiet" }, ` ${each.description}`)))),
      el("p", { class: "quiet" }, `Plans are kept in ${start.folder}`)));
}

function problems(name, error) {
  return el("div", { class: "remark bad", role: "alert" }, el("p", {}, el("strong", {}, `${name}: `), error.message),
    error.problems.length ? el("ul", { class: "problems", tabindex: "0", "aria-label": "Problems" }, error.problems.map((each) => el("li", {}, each))) : null,
    error.problems.length ? el("p", {}, "Put these right in the workbook, save it, and upload it again.") : null);
}
