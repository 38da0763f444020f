// Words and digits for scripts: the page brings the words in its own language (template #words in base.html).

export const lang = document.documentElement.lang || "ar";

export function word(key) {
  const store = document.getElementById("words");
  return store?.content.querySelector(`[data-word="${key}"]`)?.textContent ?? key;
}

const ARABIC = "٠١٢٣٤٥٦٧٨٩";

/** Digits of the page's script; anything else in the text stays. */
export function digits(value) {
  const text = String(value);
  return lang === "ar" ? text.replace(/\d/g, (digit) => ARABIC[digit]) : text;
}

export function iconElement(name) {
  const NS = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(NS, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(NS, "use");
  use.setAttribute("href", `/static/icons.svg#${name}`);
  svg.append(use);
  return svg;
}

/** An element in one line: `make("p", { class: "soft" }, "text", child)`. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false && value != null) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child != null));
  return element;
}

/** Put a fragment rendered by our own server into an element; scripts in it do not run. */
export function fill(element, html) {
  const parsed = new DOMParser().parseFromString(html, "text/html");
  element.replaceChildren(...parsed.body.childNodes);
}
