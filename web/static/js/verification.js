// Papers beside the form: page by page, closer, turned, without a hand on the mouse.
import { digits, register } from "./ui.js";

const box = document.getElementById("viewer-sheets");
const where = document.getElementById("viewer-where");
const STEPS = [60, 80, 100, 140, 190, 260];

if (box) {
  const sheets = [...box.querySelectorAll("[data-sheet]")];
  const turned = new Map();
  let size = 2;

  const now = () => {
    const top = box.getBoundingClientRect().top;
    let best = 0;
    for (const [index, sheet] of sheets.entries()) if (sheet.getBoundingClientRect().top - top < box.clientHeight / 3) best = index;
    return best;
  };
  const tell = () => {
    where.textContent = sheets.length > 1 ? where.dataset.words.replace("{n}", digits(now() + 1)).replace("{all}", digits(sheets.length)) : "";
  };
  const go = (by) => {
    const next = sheets[Math.min(Math.max(now() + by, 0), sheets.length - 1)];
    if (next) box.scrollTo({ top: next.offsetTop - box.offsetTop, behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  };
  const zoom = (by) => {
    size = Math.min(Math.max(size + by, 0), STEPS.length - 1);
    box.dataset.size = STEPS[size];
  };
  const turn = () => {
    const sheet = sheets[now()];
    if (!sheet) return;
    const quarter = ((turned.get(sheet) ?? 0) + 1) % 4;
    turned.set(sheet, quarter);
    sheet.dataset.turn = quarter;
  };
  const run = { on: () => go(1), back: () => go(-1), closer: () => zoom(1), farther: () => zoom(-1), turn };
  for (const button of document.querySelectorAll("[data-view]")) button.addEventListener("click", run[button.dataset.view]);
  const keys = { j: "on", k: "back", c: "closer", f: "farther", t: "turn" };
  for (const [key, name] of Object.entries(keys)) {
    register(key, document.querySelector(`[data-view=${name}]`).title, run[name]);
  }
  box.addEventListener("scroll", tell, { passive: true });
  tell();
}

const missing = document.getElementById("f-missing");
if (missing) register("r", document.querySelector("label[for=f-missing]").textContent.trim(), () => missing.focus());
