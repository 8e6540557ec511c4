// The first page: go on, open an example, or upload a workbook.

import { casePath, post, remove, upload } from "./api.js";
import { ask } from "./dialog.js";
import { button, day, el, say } from "./dom.js";
import { _ } from "./language.js";

const go = (id) => { window.location.hash = `#/case/${id}/plan`; };

export function showStart(main, start) {
  const told = el("div", { id: "upload-result" });
  const file = el("input", { type: "file", id: "workbook", accept: ".xlsx", onchange: () => send(file.files[0]) });
  const area = el("div", {
    class: "drop",
    ondragover: (event) => { event.preventDefault(); area.classList.add("over"); },
    ondragleave: () => area.classList.remove("over"),
    ondrop: (event) => { event.preventDefault(); area.classList.remove("over"); send(event.dataTransfer.files[0]); },
  }, el("label", { for: "workbook" }, _("Choose your workbook (.xlsx)")), file, el("p", { class: "quiet" }, _("or drop it here; 30 MB at most")));

  async function send(chosen) {
    if (!chosen) return;
    told.replaceChildren(el("p", { role: "status" }, _("Reading {file} …", { file: chosen.name })));
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

  async function drop({ id, title }) {
    const sure = await ask(_("Delete “{name}”?", { name: title }), el("p", {}, _("It goes to the folder “deleted” of the work folder.")),
      [{ value: "yes", text: _("Delete"), kind: "danger" }, { value: "no", text: _("Keep it") }]);
    if (sure !== "yes") return;
    await remove(casePath(id));
    window.location.reload();
  }

  async function template() {
    const opened = await post("/api/open", { shipped: "haulier" });
    window.location.assign(`${casePath(opened.case)}/instance.xlsx`);
  }

  const link = (href, words) => el("li", {}, el("a", { href }, words));
  const open = (name, words) => el("li", {}, button(words, () => example(name), { class: "link", "data-example": name }));
  const door = (id, words, lead, ways, commands) => el("section", { class: "card door", id, "aria-labelledby": `${id}-words` },
    el("h2", { id: `${id}-words` }, words), el("p", {}, lead), el("ul", { class: "cases" }, ways),
    el("details", {}, el("summary", {}, _("Without the app")), commands.map((each) => el("p", {}, el("code", {}, each)))));
  const cases = start.cases.map((each) => el("li", {}, el("a", { href: each.home }, each.title),
    el("span", { class: "quiet" }, ` ${each.file} ${_("opened {day}", { day: day(each.opened_s) })} `),
    button(_("Delete"), () => drop(each), { class: "link", "aria-label": `${_("Delete")} ${each.title}` })));
  main.replaceChildren(
    el("h1", { class: "unseen" }, _("Where to begin")),
    cases.length ? el("section", { class: "card" }, el("h2", { class: "first" }, _("Go on with")), el("ul", { class: "cases" }, cases)) : "",
    el("div", { class: "doors" },
      door("region", _("I plan a region"), _("Which freight goes by rail and sea, which trucks go electric, what is worth building?"),
        [open("nbb", _("Open the Nordic Battery Belt"))], ["nbb-opt new region --from nbb", "nbb-opt solve region --model cap_path"]),
      door("trucks", _("I run trucks"), _("Can the plan work in January? What does it cost? How far is it from the best plan?"),
        [link("/fleet/cost", _("What a truck costs on one lane")), link("/fleet/new", _("A plan in ten minutes")),
          link("/fleet/trips", _("Trips of a tachograph or telematics system")), open("haulier", _("Look at a haulage company"))],
        ["nbb-opt fleet cost Umeå Vännäs --km 30", "nbb-opt fleet sheet mine.xlsx"]),
      door("research", _("I do research"), _("Models, solves and proofs from Python, instances of any size."),
        [open("tiny", _("Open the smallest example"))], ["nbb.solve(nbb.examples.tiny())", "nbb-opt new big --synthetic --bundles 1000"])),
    el("section", { class: "card" }, el("h2", { class: "first" }, _("Your own company, as a workbook")), area, told,
      el("p", {}, _("Not filled in one yet?"), " ", button(_("Download an example workbook"), template, { class: "link" })),
      el("h2", {}, _("Look at an example")),
      el("ul", { class: "cases", lang: "en" }, start.shipped.map((each) => el("li", {}, button(each.title, () => example(each.name), { class: "link", "data-example": each.name }),
        el("span", { class: "quiet" }, ` ${each.description}`)))),
      el("p", { class: "quiet" }, _("Plans are kept in {folder}", { folder: start.folder }))));
}

function problems(name, error) {
  return el("div", { class: "remark bad", role: "alert" }, el("p", {}, el("strong", {}, `${name}: `), error.message),
    error.problems.length ? el("ul", { class: "problems", tabindex: "0", "aria-label": _("Problems") }, error.problems.map((each) => el("li", {}, each))) : null,
    error.problems.length ? el("p", {}, _("Put these right in the workbook, save it, and upload it again.")) : null);
}
