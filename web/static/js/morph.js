// Brings a live element to the shape of a freshly rendered one, keeping the nodes that stayed the same:
// so focus, scroll and half-written fields survive, and only what is new moves.
import { isDirty } from "./forms.js";

const KEPT_ATTRIBUTES = new Set(["open", "data-settled", "data-labelled"]);

/** Changes with every rendering and means nothing to a reader. */
const volatile = (node) => node instanceof HTMLInputElement && node.type === "hidden" && (node.name === "once" || node.name === "csrf");

function comparable(element) {
  const copy = element.cloneNode(true);
  copy.querySelectorAll("input[type=hidden][name=once], input[type=hidden][name=csrf]").forEach((input) => input.removeAttribute("value"));
  return copy;
}

export const sameContent = (a, b) => comparable(a).isEqualNode(comparable(b));

const editing = (element) => {
  const active = document.activeElement;
  return active && element.contains(active) && active.matches("input:not([type=hidden]), textarea, select, [contenteditable]") ? true : element instanceof HTMLFormElement && isDirty(element);
};

function keyOf(node) {
  if (!(node instanceof Element)) return null;
  return node.dataset.key ? `k:${node.dataset.key}` : node.id ? `i:${node.id}` : null;
}

const alike = (a, b) => a.nodeType === b.nodeType && (a.nodeType !== Node.ELEMENT_NODE || (a.localName === b.localName && keyOf(a) === keyOf(b)));

function attributes(from, to) {
  for (const { name } of [...from.attributes]) {
    if (!to.hasAttribute(name) && !KEPT_ATTRIBUTES.has(name) && !(name === "data-label" && from.dataset.labelled !== undefined)) from.removeAttribute(name);
  }
  for (const { name, value } of to.attributes) {
    if (from.getAttribute(name) !== value) from.setAttribute(name, value);
  }
}

function children(from, to) {
  const keyed = new Map();
  for (const child of from.children) {
    const key = keyOf(child);
    if (key) keyed.set(key, child);
  }
  let place = from.firstChild;
  for (const wanted of [...to.childNodes]) {
    const key = keyOf(wanted);
    let found = null;
    if (key) {
      found = keyed.get(key) ?? null;
      if (found && found.localName !== wanted.localName) found = null;
    } else if (place && !keyOf(place) && alike(place, wanted)) {
      found = place;
    }
    if (found) {
      if (found !== place) from.insertBefore(found, place);
      else place = place.nextSibling;
      keyed.delete(key);
      morph(found, wanted);
    } else {
      const fresh = document.importNode(wanted, true);
      if (fresh instanceof Element && fresh.dataset.key) fresh.classList.add("is-new");
      from.insertBefore(fresh, place);
    }
  }
  while (place) {
    const next = place.nextSibling;
    if (!(place instanceof Element) || (!editing(place) && !place.matches("dialog[open]"))) place.remove();
    place = next;
  }
}

export function morph(from, to) {
  if (from.nodeType !== Node.ELEMENT_NODE) {
    if (from.nodeValue !== to.nodeValue) from.nodeValue = to.nodeValue;
    return;
  }
  if (volatile(from) || from.matches("[data-still], dialog[open]")) return;
  if (from.matches("form, input, textarea, select") && editing(from)) return;
  if (sameContent(from, to)) return;
  from.classList.remove("is-new");
  attributes(from, to);
  if (from instanceof HTMLInputElement) {
    if (from.type === "checkbox" || from.type === "radio") from.checked = to.checked;
    else if (from.type !== "file") from.value = to.value;
  } else if (from instanceof HTMLTextAreaElement) {
    from.value = to.value;
  }
  children(from, to);
}
