// Single keys for the desk. Shown on `?`; may be switched off there (WCAG 2.1.4).
import { openDialog } from "./dialogs.js";
import { iconElement, make, word } from "./words.js";

const SWITCH = "majlis:shortcuts";
const SHEET = "shortcut-sheet";
const registered = new Map();

export const shortcutsOn = () => localStorage.getItem(SWITCH) !== "off";

/** For what has no button: `register("m", "Mark the moment", mark)`. */
export function register(key, label, run) {
  registered.set(key.toLowerCase(), { label, run });
}

const typing = (target) =>
  target instanceof HTMLElement && (target.isContentEditable || target.matches("textarea, select, input:not([type=radio], [type=checkbox], [type=button])"));

const ownsEnter = (target) => target instanceof HTMLElement && target.closest("a[href], button, summary, label, input, [role=button]");

/** The physical key counts too, so that `n` works on an Arabic keyboard, where it writes ى. */
function same(event, key) {
  if (key === "enter") return (event.key === "Enter" || event.key === " ") && !ownsEnter(event.target); // the page's one action
  if (event.key.toLowerCase() === key) return true;
  if (/^[a-z]$/.test(key)) return event.code === `Key${key.toUpperCase()}`;
  if (/^\d$/.test(key)) return event.code === `Digit${key}` || event.code === `Numpad${key}`;
  return key === "/" && event.code === "Slash" && !event.shiftKey;
}

const usable = (element) => !element.disabled && element.getAttribute("aria-disabled") !== "true" && element.getClientRects().length > 0;

function scope() {
  return document.querySelector("dialog[open]") ?? document;
}

function labelOf(element) {
  if (element.dataset.shortcutLabel) return element.dataset.shortcutLabel;
  if (element.getAttribute("aria-label")) return element.getAttribute("aria-label");
  const copy = element.cloneNode(true);
  copy.querySelectorAll("kbd, svg").forEach((part) => part.remove());
  return copy.textContent.trim();
}

function pair(label, key) {
  return make("li", { class: "keys__pair" }, make("span", {}, label), make("kbd", { class: "kbd" }, key.toUpperCase()));
}

export function showSheet() {
  document.getElementById(SHEET)?.remove();
  const list = make("ul", { class: "keys" }, pair(word("shortcuts-help"), "?"));
  const seen = new Set();
  for (const element of document.querySelectorAll("[data-shortcut]")) {
    const key = element.dataset.shortcut.toLowerCase();
    if (seen.has(key) || !usable(element)) continue;
    seen.add(key);
    list.append(pair(labelOf(element), key));
  }
  for (const [key, { label }] of registered) if (!seen.has(key)) list.append(pair(label, key));
  const box = make("input", { class: "check__input", type: "checkbox", id: "shortcut-switch" });
  box.checked = shortcutsOn();
  box.addEventListener("change", () => localStorage.setItem(SWITCH, box.checked ? "on" : "off"));
  const check = make("label", { class: "check", for: "shortcut-switch" }, box, make("span", { class: "check__box" }, iconElement("check")), make("span", {}, word("shortcuts-on")));
  const close = make("button", { class: "button button--quiet", type: "button", "data-dialog-close": true }, word("close"));
  document.body.append(
    make(
      "dialog",
      { class: "dialog", id: SHEET, "aria-labelledby": `${SHEET}-title` },
      make("h2", { class: "dialog__title", id: `${SHEET}-title` }, word("shortcuts")),
      make("div", { class: "dialog__body" }, list, check),
      make("div", { class: "dialog__actions" }, close),
    ),
  );
  openDialog(SHEET);
}

function press(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || event.isComposing) return;
  if (typing(event.target)) {
    if (event.key === "Escape" && event.target.type === "search") event.target.blur();
    return;
  }
  if (event.key === "?" || event.key === "؟") {
    event.preventDefault();
    showSheet();
    return;
  }
  if (!shortcutsOn() || event.repeat) return;
  for (const element of scope().querySelectorAll("[data-shortcut]")) {
    if (!same(event, element.dataset.shortcut.toLowerCase()) || !usable(element)) continue;
    event.preventDefault();
    if (element.matches("input, textarea, select")) {
      element.focus();
      element.select?.();
    } else {
      element.click();
    }
    return;
  }
  if (scope() !== document) return;
  for (const [key, { run }] of registered) {
    if (!same(event, key)) continue;
    event.preventDefault();
    run(event);
    return;
  }
}

/** Up and down walk a list of rows. */
function walk(event) {
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  const row = event.target.closest?.(".rows .row__link");
  if (!row) return;
  const links = [...row.closest(".rows").querySelectorAll("a.row__link")];
  const next = links[links.indexOf(row) + (event.key === "ArrowDown" ? 1 : -1)];
  if (!next) return;
  event.preventDefault();
  next.focus();
}

export function wireShortcuts() {
  document.addEventListener("keydown", walk);
  document.addEventListener("keydown", press);
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-shortcut-sheet]")) showSheet();
  });
}
