// What was written survives a closed tab: forms with data-autosave="key" are kept on this device.
// Desks are shared, so a draft belongs to one signed-in person, lives half a day, and is dropped on signing out.
import { toast } from "./toasts.js";
import { word } from "./words.js";

const PREFIX = "majlis:draft:";
const SENT = "majlis:sent";
const LIFE_MS = 12 * 3600 * 1000;
const WAIT_MS = 400;

const owner = () => document.body.dataset.who ?? "";
const keyOf = (form) => `${PREFIX}${owner()}:${form.dataset.autosave}`;
const kept = (field) => field.name && !field.closest("[data-private]") && !["hidden", "password", "file", "submit", "button"].includes(field.type);

function save(form) {
  const values = {};
  for (const field of form.elements) {
    if (!kept(field)) continue;
    if (field.type === "radio") {
      if (field.checked) values[field.name] = field.value;
    } else if (field.type === "checkbox") {
      (values[field.name] ??= []).push([field.value, field.checked]);
    } else {
      values[field.name] = field.value;
    }
  }
  localStorage.setItem(keyOf(form), JSON.stringify({ at: Date.now(), values }));
}

function put(form, values) {
  let changed = false;
  for (const field of form.elements) {
    if (!kept(field) || !(field.name in values)) continue;
    const value = values[field.name];
    if (field.type === "radio") {
      const on = field.value === value;
      changed ||= on !== field.checked;
      field.checked = on;
    } else if (field.type === "checkbox") {
      const on = Array.isArray(value) && value.some(([name, checked]) => name === field.value && checked);
      changed ||= on !== field.checked;
      field.checked = on;
    } else if (typeof value === "string" && field.value !== value) {
      field.value = value;
      changed = true;
    }
  }
  return changed;
}

function restore(form) {
  let draft;
  try {
    draft = JSON.parse(localStorage.getItem(keyOf(form)));
  } catch {
    draft = null;
  }
  if (!draft || document.getElementById("form-errors")) return;
  if (put(form, draft.values)) {
    toast(word("draft"), {
      tone: "info",
      action: {
        label: word("draft-drop"),
        run: () => {
          localStorage.removeItem(keyOf(form));
          form.reset();
        },
      },
    });
  }
}

function sweep() {
  for (const key of Object.keys(localStorage)) {
    if (!key.startsWith(PREFIX)) continue;
    let at = 0;
    try {
      at = JSON.parse(localStorage.getItem(key)).at;
    } catch {
      at = 0;
    }
    // Where nobody is signed in, a session has ended: whose drafts these are is known again after signing in.
    const anothers = owner() && !key.startsWith(`${PREFIX}${owner()}:`);
    if (Date.now() - at > LIFE_MS || anothers) localStorage.removeItem(key);
  }
}

export function forgetDrafts() {
  Object.keys(localStorage)
    .filter((key) => key.startsWith(PREFIX))
    .forEach((key) => localStorage.removeItem(key));
}

/** A sent form's draft goes once the next page shows that it was taken: no error, and not the page for signing in. */
export function markSent(form) {
  if ("autosave" in form.dataset) sessionStorage.setItem(SENT, keyOf(form));
}

function dropSent() {
  const key = sessionStorage.getItem(SENT);
  if (!key) return;
  sessionStorage.removeItem(SENT);
  if (owner() && !document.querySelector("#form-errors, #page-error, .field--error")) localStorage.removeItem(key);
}

export function wireDrafts() {
  dropSent();
  sweep();
  document.querySelectorAll("form[data-autosave]").forEach(restore);
  const timers = new WeakMap();
  document.addEventListener("input", (event) => {
    const form = event.target.form;
    if (!form || !("autosave" in form.dataset)) return;
    clearTimeout(timers.get(form));
    timers.set(form, setTimeout(() => save(form), WAIT_MS));
  });
}
