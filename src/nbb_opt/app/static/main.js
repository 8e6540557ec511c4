// Which view is shown: the address after # says it, so that reload and bookmarks work.

import { casePath, get } from "./api.js";
import { el } from "./dom.js";
import { tellError } from "./dialog.js";
import { _ } from "./language.js";
import { showCompare } from "./compare.js";
import { showPictures } from "./pictures.js";
import { showPlan } from "./plan.js";
import { showStart } from "./start.js";

const VIEWS = [["plan", _("Plan")], ["compare", _("Compare")], ["pictures", _("Map and charts")]];
const STUDIES = [["money", _("Money over time")], ["day", _("Charging by the hour")]];
const main = document.getElementById("main");
let leave = null;
let turn = 0;

async function show() {
  const mine = ++turn;
  const [, where, id, view = "plan", plan = ""] = window.location.hash.split("/");
  if (leave) await leave();
  leave = null;
  main.removeAttribute("data-ready");
  try {
    if (where !== "case" || !id) {
      head(null, "");
      const start = await get("/api/start");
      if (mine !== turn) return;
      if (start.first && !window.location.hash) {
        window.location.replace(start.home);
        return;
      }
      showStart(main, start);
    } else {
      const found = await get(casePath(id));
      if (mine !== turn) return;
      head(found, view, plan);
      const shown = { plan: showPlan, compare: showCompare, pictures: showPictures }[view] || showPlan;
      leave = await shown(main, found, plan);
    }
    main.setAttribute("data-ready", where === "case" ? view : "start");
  } catch (error) {
    main.replaceChildren(
      el("section", { class: "card narrow" }, el("h1", {}, _("This cannot be shown")), el("p", { role: "alert" }, error.message),
        error.problems?.length ? el("ul", { class: "problems" }, error.problems.map((each) => el("li", {}, each))) : null,
        el("p", {}, el("a", { href: "#/" }, _("To the first page")))));
  }
}

function head(found, view, plan = "") {
  document.title = found ? `${found.title}: ${_("Fleet plans")}` : _("Fleet plans");
  document.getElementById("case-title").textContent = found ? found.title : "";
  const links = found ? VIEWS.map(([name, words]) => el("a", {
    href: `#/case/${found.id}/${name}${plan ? `/${plan}` : ""}`, "aria-current": name === view ? "page" : null,
  }, words)) : [];
  const of = found?.plans.find((each) => each.id === plan) ?? found?.plans[0];
  if (of) for (const [kind, words] of STUDIES) links.push(el("a", { href: `/fleet/${found.id}/${of.id}/${kind}` }, words));
  document.getElementById("tabs").replaceChildren(...links);
}

document.getElementById("skip").addEventListener("click", (event) => { event.preventDefault(); main.focus(); });
window.addEventListener("hashchange", show);
window.addEventListener("unhandledrejection", (event) => { tellError(event.reason); });
show();
