// The player: several sides of one meeting run in step; the first one leads, the others follow.
import { digits } from "./words.js";

const player = document.querySelector("[data-player]");
const sides = [...player.querySelectorAll("[data-media]")];
const leader = sides[0]; // there is one: a recording without sides has no player
const length = Number(player.dataset.duration);
const play = document.getElementById("play");
const seek = document.getElementById("seek");
const time = document.getElementById("time");
const APART = 0.12; // seconds two sides may differ before one is moved

function show(seconds) {
  const whole = Math.floor(seconds);
  const two = (n) => String(n).padStart(2, "0");
  const hours = Math.floor(whole / 3600);
  const rest = `${Math.floor(whole / 60) % 60}:${two(whole % 60)}`;
  return digits(hours ? `${hours}:${rest.padStart(5, "0")}` : rest);
}

function go(seconds) {
  const to = Math.min(Math.max(seconds, 0), Math.max(length - 0.1, 0));
  sides.forEach((side) => (side.currentTime = to));
  seek.value = to;
  time.textContent = show(to);
}

async function toggle() {
  if (leader.paused) {
    if (leader.currentTime >= length - 0.2) go(0);
    sides.forEach((side) => (side.currentTime = leader.currentTime));
    await Promise.all(sides.map((side) => side.play().catch(() => {})));
  } else {
    sides.forEach((side) => side.pause());
  }
}

function showPlaying() {
  const running = !leader.paused;
  play.querySelector("span").textContent = running ? play.dataset.pause : play.dataset.play;
  play.querySelector("use").setAttribute("href", `/static/icons.svg#${running ? "pause" : "play"}`);
}

leader.addEventListener("timeupdate", () => {
  if (!seek.matches(":active")) seek.value = leader.currentTime;
  time.textContent = show(leader.currentTime);
  seek.setAttribute("aria-valuetext", time.textContent);
  for (const side of sides.slice(1)) {
    if (!leader.paused && Math.abs(side.currentTime - leader.currentTime) > APART) side.currentTime = leader.currentTime;
  }
});
for (const type of ["play", "pause", "ended"]) leader.addEventListener(type, showPlaying);
leader.addEventListener("ended", () => sides.forEach((side) => side.pause()));
sides.forEach((side) => side.addEventListener("error", () => (document.getElementById("player-lost").hidden = false)));

play.addEventListener("click", toggle);
seek.addEventListener("input", () => go(Number(seek.value)));
document.getElementById("rate").addEventListener("change", ({ target }) => sides.forEach((side) => (side.playbackRate = Number(target.value))));
player.addEventListener("click", ({ target }) => target.closest("[data-media]") && toggle());
document.querySelectorAll("[data-jump]").forEach((button) => button.addEventListener("click", () => go(leader.currentTime + Number(button.dataset.jump))));
document.querySelectorAll(".orders-list [data-at]").forEach((button) => button.addEventListener("click", () => go(Number(button.dataset.at))));
document.querySelectorAll(".player__marks li").forEach((mark) => (mark.style.insetInlineStart = `${(100 * Number(mark.dataset.at)) / length}%`));

const start = Number(new URLSearchParams(location.search).get("t"));
if (start > 0) {
  const jump = () => go(start);
  if (leader.readyState >= 1) jump();
  else leader.addEventListener("loadedmetadata", jump, { once: true });
}
