// Times as the player writes them, and the pure rules of moving along a recording.
import { digits } from "./words.js";

/** `fine`: with hundredths, for going picture by picture. */
export function show(seconds, fine = false) {
  if (fine) return `${show(seconds + 1e-4)}${digits(`.${String(Math.floor((seconds + 1e-4) * 100) % 100).padStart(2, "0")}`)}`;
  const whole = Math.max(0, Math.floor(seconds));
  const two = (n) => String(n).padStart(2, "0");
  const hours = Math.floor(whole / 3600);
  const rest = `${Math.floor(whole / 60) % 60}:${two(whole % 60)}`;
  return digits(hours ? `${hours}:${rest.padStart(5, "0")}` : rest);
}

export function say(key, values = {}) {
  const store = document.getElementById("player-words");
  const text = store?.content.querySelector(`[data-word="${key}"]`)?.textContent ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? values[name] : whole));
}

/** Words kept on this device, for this person only: desks are shared. */
const owner = () => document.body.dataset.who ?? "";
export const remember = (key, value) => localStorage.setItem(`majlis:player:${owner()}:${key}`, JSON.stringify(value));
export function recall(key, otherwise = null) {
  try {
    return JSON.parse(localStorage.getItem(`majlis:player:${owner()}:${key}`)) ?? otherwise;
  } catch {
    return otherwise;
  }
}
export const forget = (key) => localStorage.removeItem(`majlis:player:${owner()}:${key}`);

/** The form in which texts are compared; core/text.py search_form is the same on the other side. */
const LETTERS = { أ: "ا", إ: "ا", آ: "ا", ٱ: "ا", ى: "ي", ئ: "ي", ؤ: "و", ة: "ه", "ـ": "", گ: "ك", ک: "ك", ی: "ي" };
export function searchForm(text) {
  const latin = text.replace(/[٠-٩۰-۹]/g, (digit) => String(digit.charCodeAt(0) & 15));
  return latin
    .normalize("NFC")
    .replace(/[أإآٱىئؤةـگکی]/g, (letter) => LETTERS[letter])
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}_]+/gu, " ")
    .trim();
}
