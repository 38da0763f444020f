// Lines that take turns: one at a time, each as long as it takes to read; no line ever moves while it is read.
const place = new WeakMap();

function show(parent) {
  const lines = [...parent.children];
  const wanted = place.get(parent);
  const at = Math.max(0, lines.findIndex((line, index) => (line.dataset.key ?? String(index)) === wanted));
  lines.forEach((line, index) => {
    line.classList.toggle("is-shown", index === at);
    line.toggleAttribute("aria-hidden", index !== at);
  });
  return lines[at];
}

function turn(parent) {
  const lines = [...parent.children];
  const at = lines.findIndex((line) => line.classList.contains("is-shown"));
  const next = (at + 1) % Math.max(lines.length, 1);
  place.set(parent, lines[next]?.dataset.key ?? String(next));
  const shown = show(parent);
  const seconds = (Number(parent.dataset.turns) || 12) * (shown?.hasAttribute("data-urgent") ? 2 : 1);
  setTimeout(turn, seconds * 1000, parent);
}

export function wireTurns() {
  for (const parent of document.querySelectorAll("[data-turns]")) {
    show(parent);
    setTimeout(turn, (Number(parent.dataset.turns) || 12) * 1000, parent);
  }
  // a refetch brings the first line to the front again: put back the one that was being read
  document.addEventListener("majlis:refreshed", () => document.querySelectorAll("[data-turns]").forEach(show));
}
