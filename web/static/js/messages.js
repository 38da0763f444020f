// Texts: a wish searches at once; words are shown as they arrive while they are written; a group asks for its own detail.
import { fill } from "./ui.js";

const PAUSE_MS = 250;

for (const form of document.querySelectorAll("form[data-filters]")) {
  form.addEventListener("change", (event) => {
    if (event.target.matches("select")) form.requestSubmit();
  });
}

let writing = null;

/** Asks our own server what the words become: it alone counts parts and knows what is missing. */
function preview(area) {
  const place = document.getElementById(area.dataset.previewTo);
  let timer = 0;
  let asked = null;
  const ask = async () => {
    asked?.abort();
    asked = new AbortController();
    const query = new URLSearchParams({ language: area.dataset.language, text: area.value });
    try {
      const answer = await fetch(`${area.dataset.previewFrom}?${query}`, { headers: { "X-Fragment": "1" }, credentials: "same-origin", signal: asked.signal });
      if (answer.ok) fill(place, await answer.text());
    } catch {
      // a newer question has overtaken this one, or the line is gone: what stands there stays
    }
  };
  area.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, PAUSE_MS);
  });
  area.addEventListener("focus", () => {
    writing = area;
  });
}

const areas = [...document.querySelectorAll("textarea[data-preview-from]")];
areas.forEach(preview);

for (const button of document.querySelectorAll("[data-insert]")) {
  button.addEventListener("click", () => {
    const area = writing ?? areas[0];
    if (!area) return;
    area.focus();
    area.setRangeText(button.dataset.insert, area.selectionStart, area.selectionEnd, "end");
    area.dispatchEvent(new Event("input", { bubbles: true }));
  });
}

/** Without this script every detail is asked for; with it only the chosen group's. */
function groups() {
  const chosen = document.querySelector("input[name=group_kind]:checked")?.value;
  for (const part of document.querySelectorAll("[data-group]")) part.hidden = part.dataset.group !== chosen;
}

if (document.querySelector("[data-group]")) {
  groups();
  document.addEventListener("change", (event) => {
    if (event.target.matches("input[name=group_kind]")) groups();
  });
}
