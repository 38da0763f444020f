// Keys at the kiosk: arrows from choice to choice for a keypad with five keys, and scanners, which type what they read
// very fast and end with Enter. Physical keys count, not what an Arabic layout makes of them.
const GAP_MS = 150; // hardly a hand types so fast without a pause; a scanner does
const LEAST = 6;
const SIGNS = { Slash: "/", Period: ".", Minus: "-", Equal: "=", Semicolon: ":" };
const CHOICES = "main a[href], main input, main button:not([data-pad]), footer a[href], footer button, header a[href]";

function sign({ code, key, shiftKey }) {
  if (/^Key[A-Z]$/.test(code)) return code.slice(3).toLowerCase();
  if (/^(Digit|Numpad)\d$/.test(code) && !shiftKey) return code.slice(-1);
  if (code === "Slash" && shiftKey) return "?";
  return SIGNS[code] ?? (key.length === 1 ? key : "");
}

/** Calls `found` with what a scanner read, wherever on the page the focus is. */
export function wireScanner(found) {
  let read = "";
  let last = 0;
  document.addEventListener(
    "keydown",
    (event) => {
      if (event.ctrlKey || event.altKey || event.metaKey) return;
      const now = performance.now();
      if (now - last > GAP_MS) read = "";
      last = now;
      if (event.key === "Enter") {
        const text = read;
        read = "";
        if (text.length < LEAST) return;
        const field = document.querySelector("form[data-scan] [data-code]");
        if (event.target.matches("input") && !(event.target === field && text.length >= field.value.length)) return; // typed by hand
        event.preventDefault();
        event.stopPropagation();
        if (!field) return found(text);
        field.value = text;
        field.form.requestSubmit();
        return;
      }
      read += sign(event);
    },
    true,
  );
}

/** Latin letters into the code's field whatever the layout; a scanned code that came in the address goes on by itself. */
function wireCode() {
  const field = document.querySelector("[data-code]");
  if (!field) return;
  field.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || !/^Key[A-Z]$/.test(event.code)) return;
    event.preventDefault();
    field.setRangeText(sign(event), field.selectionStart, field.selectionEnd, "end");
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
  const scanned = new URLSearchParams(location.search).has("scanned");
  if (scanned && field.value && !document.querySelector(".field__error")) field.form.requestSubmit();
}

const gap = (a, b, c, d) => Math.max(0, c - b, a - d); // between two stretches of a line

function move(from, x, y) {
  const here = from.getBoundingClientRect();
  const seen = [...document.querySelectorAll(CHOICES)].filter((one) => one !== from && one.type !== "hidden" && one.getClientRects().length);
  let best = null;
  let least = Infinity;
  for (const one of seen) {
    const there = one.getBoundingClientRect();
    const across = there.x + there.width / 2 - here.x - here.width / 2;
    const down = there.y + there.height / 2 - here.y - here.height / 2;
    const ahead = across * x + down * y;
    const aside = x ? gap(here.top, here.bottom, there.top, there.bottom) : gap(here.left, here.right, there.left, there.right);
    if (ahead > 8 && ahead + aside * 2 < least) [best, least] = [one, ahead + aside * 2];
  }
  best?.focus();
}

const WAYS = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };

export function wireKeys() {
  wireCode();
  document.addEventListener("keydown", (event) => {
    const way = WAYS[event.key];
    const at = document.activeElement;
    if (!way || event.defaultPrevented || document.querySelector("dialog[open]") || at?.matches("input:not([type=checkbox])")) return;
    event.preventDefault();
    if (at && at !== document.body && at.id !== "main") move(at, ...way);
    else document.querySelector("main a[href], main input:not([type=hidden]), main button")?.focus();
  });
}
