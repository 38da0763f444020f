// Times that run: data-clock="Asia/Riyadh" (the time of day), data-since="ISO" (mm:ss from then), data-until="ISO".
import { digits, lang } from "./words.js";

const pad = (number) => String(number).padStart(2, "0");

export function running(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return digits(hours ? `${hours}:${pad(minutes)}:${pad(rest)}` : `${minutes}:${pad(rest)}`);
}

/** The parts of the day, as core/calendar.py names them (a unit test compares the two). */
const DAY_PARTS_AR = [
  [4, "ليلًا"],
  [6, "فجرًا"],
  [12, "صباحًا"],
  [15, "ظهرًا"],
  [18, "عصرًا"],
  [24, "مساءً"],
];

function period(hour) {
  if (lang !== "ar") return hour < 12 ? "am" : "pm";
  return DAY_PARTS_AR.find(([until]) => hour < until)[1];
}

export function timeOfDay(now, zone) {
  const parts = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: zone || undefined }).formatToParts(now);
  const hour = Number(parts.find((part) => part.type === "hour").value);
  const minute = parts.find((part) => part.type === "minute").value;
  return `${digits(`${hour % 12 || 12}:${minute}`)} ${period(hour)}`;
}

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** A page that knows how far its device's clock is off says so in data-skew (ms to add). */
const present = () => new Date(Date.now() + Number(document.documentElement.dataset.skew ?? 0));

export function tick(now = present()) {
  for (const element of document.querySelectorAll("[data-clock]")) write(element, timeOfDay(now, element.dataset.clock));
  for (const element of document.querySelectorAll("[data-since]")) write(element, running((now - new Date(element.dataset.since)) / 1000));
  for (const element of document.querySelectorAll("[data-until]")) write(element, running((new Date(element.dataset.until) - now) / 1000));
}

/** One notice at a time: data-rotate="9" (seconds) on their parent. */
function rotate(parent) {
  let at = 0;
  const show = () => {
    [...parent.children].forEach((child, index) => {
      child.classList.toggle("is-shown", index === at);
      child.toggleAttribute("aria-hidden", index !== at);
    });
    at = (at + 1) % Math.max(1, parent.children.length);
  };
  show();
  setInterval(show, (Number(parent.dataset.rotate) || 9) * 1000);
}

export function wireClocks() {
  document.querySelectorAll("[data-rotate]").forEach(rotate);
  document.addEventListener("majlis:refreshed", () => tick());
  if (document.querySelector("[data-clock], [data-since], [data-until], [data-live]")) {
    tick();
    setInterval(() => tick(), 1000);
  }
}
