// Small conveniences: printing, copying, the number pad, labels for stacked tables.
import { toast } from "./toasts.js";
import { word } from "./words.js";

/** data-print prints the page; data-print="slip" prints only the ticket. */
export function print(what = "") {
  const slip = what === "slip";
  document.body.classList.toggle("prints-slip", slip);
  window.print();
  document.body.classList.remove("prints-slip");
}

async function copy(button) {
  const source = button.dataset.copy;
  const text = source.startsWith("#") ? document.querySelector(source)?.textContent.trim() : source;
  await navigator.clipboard.writeText(text ?? "");
  toast(word("copied"));
}

function pressPad(key) {
  const field = document.getElementById(key.closest("[data-pad-for]").dataset.padFor);
  if (!field) return;
  const action = key.dataset.pad;
  const limit = field.maxLength > 0 ? field.maxLength : Infinity;
  if (action === "clear") field.value = "";
  else if (action === "back") field.value = field.value.slice(0, -1);
  else if (field.value.length < limit) field.value += action;
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

/** Cells written without data-label get their column's heading, for the stacked shape at phone width. */
export function labelCells(root = document) {
  for (const table of root.querySelectorAll("table.table--stack")) {
    const heads = [...table.querySelectorAll("thead th")].map((head) => (head.classList.contains("cell--hidden") ? "" : head.textContent.trim()));
    for (const row of table.tBodies[0]?.rows ?? []) {
      [...row.cells].forEach((cell, index) => {
        if (cell.dataset.label !== undefined || !heads[index]) return;
        cell.dataset.label = heads[index];
        cell.dataset.labelled = "";
      });
    }
  }
}

export function wireSmall() {
  document.addEventListener("click", (event) => {
    const target = event.target.closest("[data-print], [data-copy], [data-pad]");
    if (!target) return;
    if ("print" in target.dataset) print(target.dataset.print);
    else if ("copy" in target.dataset) copy(target);
    else pressPad(target);
  });
  labelCells();
  document.addEventListener("majlis:refreshed", () => labelCells());
}
