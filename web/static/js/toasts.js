// Short words at the foot of the screen. Bad news stays until it is closed; the rest leaves by itself.
import { iconElement, make, word } from "./words.js";

const STAY_MS = 7000;
const SIGN = { good: "check", wait: "clock", danger: "warning", info: "info" };

export function toast(text, { tone = "good", action = null } = {}) {
  const note = make("p", { class: `toast toast--${tone}`, "data-toast": true }, iconElement(SIGN[tone] ?? "info"), make("span", {}, text));
  if (action) {
    const press = make("button", { class: "button button--ghost", type: "button" }, action.label);
    press.addEventListener("click", () => {
      note.remove();
      action.run();
    });
    note.append(press);
  }
  document.getElementById("toasts")?.append(note);
  settle(note);
  return note;
}

function settle(note) {
  note.dataset.settled = "";
  if (note.classList.contains("toast--danger")) {
    const close = make("button", { class: "button button--ghost button--icon", type: "button", "aria-label": word("close") }, iconElement("x"));
    close.addEventListener("click", () => note.remove());
    note.append(close);
    return;
  }
  let timer = setTimeout(() => note.remove(), STAY_MS);
  const wait = () => clearTimeout(timer);
  const leave = () => (timer = setTimeout(() => note.remove(), STAY_MS / 2));
  note.addEventListener("pointerenter", wait);
  note.addEventListener("focusin", wait);
  note.addEventListener("pointerleave", leave);
  note.addEventListener("focusout", leave);
}

export function wireToasts() {
  document.querySelectorAll("[data-toast]:not([data-settled])").forEach(settle);
}
