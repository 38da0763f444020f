// <dialog> by data attributes, and a question one must answer before something is done.
import { make, word } from "./words.js";

/** Where one goes on: at what was refused, else where the page says, else in the first field. */
const STARTS = ["[aria-invalid=true]", "[autofocus]", ".dialog__body :is(input:not([type=hidden]), textarea, select)"];

function show(dialog) {
  dialog.showModal();
  STARTS.map((start) => dialog.querySelector(start)).find(Boolean)?.focus();
}

export function openDialog(id) {
  const dialog = document.getElementById(id);
  if (!dialog || dialog.open) return;
  document.querySelectorAll("dialog[open]").forEach((other) => other.close());
  show(dialog);
}

/** Resolves to true only where the person pressed the confirming button. */
export function ask(text, { confirm = word("confirm"), danger = false } = {}) {
  const yes = make("button", { class: `button button--${danger ? "danger" : "primary"}`, type: "button", value: "yes" }, confirm);
  const no = make("button", { class: "button button--ghost", type: "button" }, word("cancel"));
  const dialog = make(
    "dialog",
    { class: "dialog", "aria-labelledby": "ask-text" },
    make("h2", { class: "dialog__title", id: "ask-text" }, text),
    make("div", { class: "dialog__actions" }, yes, no),
  );
  document.body.append(dialog);
  return new Promise((resolve) => {
    yes.addEventListener("click", () => dialog.close("yes"));
    no.addEventListener("click", () => dialog.close(""));
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
    dialog.showModal();
    no.focus();
  });
}

export function wireDialogs() {
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-dialog-open]");
    if (opener) {
      event.preventDefault();
      openDialog(opener.dataset.dialogOpen);
      return;
    }
    if (event.target.closest("[data-dialog-close]")) {
      event.target.closest("dialog")?.close();
      return;
    }
    // A press on the veil itself has the dialog as its target and lies outside the dialog's box.
    if (event.target instanceof HTMLDialogElement && event.detail > 0) {
      const box = event.target.getBoundingClientRect();
      const inside = event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
      if (!inside && !event.target.querySelector("textarea, input[type=text]")) event.target.close();
    }
  });
  document.querySelectorAll("dialog[data-dialog-now]").forEach(show);
}

/** data-confirm on links; forms are asked in forms.js, where the sending is. */
export function wireConfirmedLinks() {
  document.addEventListener("click", async (event) => {
    const link = event.target.closest("a[data-confirm]");
    if (!link) return;
    event.preventDefault();
    if (await ask(link.dataset.confirm, { danger: link.classList.contains("button--danger") })) location.assign(link.href);
  });
}
