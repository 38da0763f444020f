// The kiosk forgets a visitor who went away: <… data-idle-reset="45" data-idle-to="/kiosk">.
// The last seconds are counted on the screen, with one large button that says "I am still here".
import { digits, make, word } from "./words.js";

const WARN_S = 20;

/** The noun that fits the number; the four forms cover Arabic (1, 2, 3–10, the rest) and English. */
const unit = (left) => word(`idle-unit-${left <= 2 ? Math.max(1, left) : left <= 10 ? 3 : 11}`);

export function wireIdle() {
  const host = document.querySelector("[data-idle-reset]");
  if (!host) return;
  const total = Number(host.dataset.idleReset) || 45;
  const warn = Math.min(Number(host.dataset.idleWarn) || WARN_S, total);
  const target = host.dataset.idleTo || "/kiosk";
  let last = performance.now();
  let bar = null;

  const stay = () => {
    last = performance.now();
    bar?.remove();
    bar = null;
  };
  const show = (left) => {
    if (!bar) {
      const button = make("button", { class: "button button--quiet button--large", type: "button" }, word("idle-stay"));
      button.addEventListener("click", stay);
      const text = make("p", { role: "status" }, make("span", {}, word("idle")), " ", make("strong", { class: "idle__count", "aria-hidden": "true" }), " ", make("span", { class: "idle__unit" }));
      bar = make("div", { class: "idle" }, text, button);
      document.body.append(bar);
    }
    bar.querySelector(".idle__count").textContent = digits(left);
    bar.querySelector(".idle__unit").textContent = unit(left);
  };
  for (const name of ["pointerdown", "keydown", "input", "wheel"]) document.addEventListener(name, stay, { passive: true });
  setInterval(() => {
    const left = Math.ceil(total - (performance.now() - last) / 1000);
    if (left <= 0) {
      document.querySelectorAll("form").forEach((form) => form.reset());
      last = Infinity; // once is enough, however long the way back takes
      if (document.dispatchEvent(new CustomEvent("majlis:idle", { detail: { to: target }, cancelable: true }))) location.replace(target);
    } else if (left <= warn) {
      show(left);
    }
  }, 250);
}
