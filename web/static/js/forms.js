// Sending once, asking first, guarding what was written, and putting the first error under the reader's eye.
import { ask } from "./dialogs.js";
import { forgetDrafts, markSent, wireDrafts } from "./drafts.js";

const UNLOCK_MS = 12000; // a lost answer must not leave the button dead; the once-token makes a second sending harmless
const dirty = new WeakSet();
const confirmed = new WeakSet();
let leaving = false;

function busy(form, submitter) {
  form.dataset.busy = "";
  submitter?.classList.add("is-busy");
  form.setAttribute("aria-busy", "true");
  setTimeout(() => free(form), UNLOCK_MS);
}

function free(form) {
  delete form.dataset.busy;
  form.removeAttribute("aria-busy");
  form.querySelectorAll(".is-busy").forEach((button) => button.classList.remove("is-busy"));
}

async function onSubmit(event) {
  const form = event.target;
  const question = event.submitter?.dataset.confirm ?? form.dataset.confirm;
  if (question && !confirmed.has(form)) {
    event.preventDefault();
    const danger = event.submitter?.classList.contains("button--danger") ?? false;
    const { submitter } = event;
    if (await ask(question, { danger })) {
      confirmed.add(form);
      form.requestSubmit(submitter ?? undefined);
      confirmed.delete(form);
    }
    return;
  }
  if (form.method !== "post" || form.dataset.submitOnce === "off") return;
  if ("busy" in form.dataset) {
    event.preventDefault();
    return;
  }
  // Others (a page's own script) may still stop this sending; look again when they have had their say.
  queueMicrotask(() => {
    if (event.defaultPrevented) return;
    busy(form, event.submitter);
    dirty.delete(form);
    leaving = true;
    if (form.action.endsWith("/sign-out")) forgetDrafts();
    else markSent(form);
  });
}

const guarded = (form) => form && form.method === "post" && !("autosave" in form.dataset) && form.dataset.guard !== "off" && (("guard" in form.dataset) || form.querySelector("textarea"));

function beforeUnload(event) {
  if (leaving) return;
  for (const form of document.forms) {
    if (dirty.has(form) && guarded(form)) {
      event.preventDefault();
      return;
    }
  }
}

/** True where a person has begun to change something in it: live updates keep away. */
export const isDirty = (form) => dirty.has(form);

export function wireForms() {
  document.addEventListener("submit", onSubmit);
  document.addEventListener("input", (event) => event.target.form && dirty.add(event.target.form));
  document.addEventListener("reset", (event) => dirty.delete(event.target));
  window.addEventListener("beforeunload", beforeUnload);
  window.addEventListener("pageshow", (event) => {
    leaving = false;
    if (event.persisted) document.querySelectorAll("form[data-busy]").forEach(free);
  });
  // A press on a large choice goes on at once (kiosk); arrow keys only choose (WCAG 3.2.2).
  document.addEventListener("click", (event) => {
    const input = event.target.closest?.("[data-choose-submits] input[type=radio]");
    if (input && event.pointerType && event.detail > 0) input.form?.requestSubmit();
  });
  wireDrafts();
  document.querySelector("[data-focus-first]")?.focus({ preventScroll: false });
}
