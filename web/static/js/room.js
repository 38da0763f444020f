// The meeting room: device check, lobby, faces, controls. The call itself is /static/meeting/client.js.
import { MeetingClient } from "/static/meeting/client.js";
import { DeviceError, levelMeter, listDevices, openDevices } from "/static/meeting/devices.js";
import { digits, iconElement, make } from "./words.js";
import { Connection } from "./room-connection.js";
import { Lines } from "./room-line.js";
import { walkable } from "./room-keys.js";
import { tokenFor, post } from "./room-server.js";
import { chime, measureLine } from "./room-checks.js";
import { Devices } from "./room-devices.js";
import { Written } from "./room-text.js";
import { Orders } from "./room-orders.js";
import { People } from "./room-people.js";
import { showOver } from "./room-over.js";
import { Lacks, reasonInside, reasonOf } from "./room-lacks.js";
import { Stage } from "./room-stage.js";

const frame = document.querySelector("[data-room]");
const { base, role, me, lang } = frame.dataset;
const host = "host" in frame.dataset;
const $ = (id) => document.getElementById(id);
const words = $("room-words").content;
const say = (key) => words.querySelector(`[data-word="${key}"]`)?.textContent ?? key;
const INSIDE = `majlis.inside.${base}`;
const OFF = `majlis.off.${base}`; // what was switched off stays off when the page is loaded again

const stage = new Stage({ stage: $("stage"), say, lang, interpreted: "interpreted" in frame.dataset });
const large = role === "visitor" || role === "official";
const written = new Written({ form: $("rtt"), line: $("rtt-line"), log: $("captions"), button: $("write"), send: (...args) => client?.sendText(...args) });
const devices = new Devices({ button: $("devices"), sheet: $("device-sheet"), client: () => client, speak: (id) => stage.speak(id) });
const lacks = new Lacks({ visitor: role === "visitor", show: (key) => lines.lack(key), once: (key) => lines.notice(key) });
const lines = new Lines({ me, role, say, name: nameOf, stage, present: $("present"), trouble: $("trouble"), voice: $("said"), siren: $("alarmed") });
const seen = new Map(); // track → whose picture it is
const connection = new Connection({ button: $("connection"), sheet: $("line-sheet"), list: $("line-numbers"), copy: $("line-copy"), client: () => client, say, of: (track) => seen.get(track) });
const people = host ? new People({ section: $("people"), sheet: $("out-sheet"), name: nameOf, say, post: (path) => post(`${base}${path}`, frame.dataset.csrf), after: $("in-room") }) : null;
let client = null;
let stream = null;
let stopMeter = () => {};

// ── The check before going in ─────────────────────────────────────────

async function check(choice = {}) {
  $("retry").hidden = true;
  $("join").disabled = true;
  tell("devices_asking");
  stopMeter();
  stream?.getTracks().forEach((track) => track.stop());
  try {
    const opened = await openDevices({ ...choice, large });
    stream = opened.stream;
    $("preview").srcObject = stream;
    $("preview-empty").hidden = stream.getVideoTracks().length > 0;
    stopMeter = levelMeter(stream, (level) => ($("level").value = level));
    await listChoices();
    stream.getTracks().forEach((track) => track.addEventListener("ended", () => client || check()));
    tell(opened.missing.length ? reasonOf(opened.missing[0]) : "devices_ok");
    $("retry").hidden = opened.missing.length === 0;
    $("join").disabled = false;
    $("join").focus();
    return true;
  } catch (error) {
    tell(reasonOf(error instanceof DeviceError ? error.code : "fault"), "danger");
    $("retry").hidden = false;
    return false;
  }
}

async function listChoices() {
  const { cameras, microphones } = await listDevices();
  fill($("camera"), cameras, stream.getVideoTracks()[0]);
  fill($("microphone"), microphones, stream.getAudioTracks()[0]);
}

function fill(select, devices, current) {
  const chosen = current?.getSettings().deviceId;
  select.replaceChildren(
    ...devices.map((device, index) => {
      const option = make("option", { value: device.id }, device.label || digits(index + 1));
      option.selected = device.id === chosen;
      return option;
    }),
  );
  select.closest(".field").hidden = devices.length < 2;
}

function tell(key, tone = "") {
  $("lobby-text").textContent = say(key);
  $("lobby-text").dataset.tone = tone;
  $("lobby-text").dataset.why = key;
}

// ── Going in ──────────────────────────────────────────────────────────

async function join() {
  $("join").disabled = true;
  tell("connecting");
  let ticket;
  try {
    ticket = await tokenFor(base, frame.dataset.csrf);
  } catch (error) {
    tell("refused", "danger");
    if (error instanceof TypeError) tell("line_gone", "danger"); // fetch had no answer at all
    else if (error.message) $("lobby-text").textContent = error.message;
    $("join").disabled = false;
    return;
  }
  stopMeter();
  sessionStorage.setItem(INSIDE, "1");
  client = new MeetingClient({
    url: ticket.url,
    token: ticket.token,
    stream,
    refreshToken: async () => (await tokenFor(base, frame.dataset.csrf)).token,
    motion: "interpreted" in frame.dataset,
    maxBitrate: large ? 4_500_000 : 2_500_000,
  });
  listen();
  $("self").srcObject = stream;
  await keepOff();
  client.start();
}

function listen() {
  client.addEventListener("state", ({ detail }) => showState(detail.state));
  client.addEventListener("presence", ({ detail }) => {
    written.know(detail.participants.map((one) => [one.id, nameOf(one)]));
    showKnocking(detail.participants);
    people?.presence(detail.participants.filter((one) => one.id !== me));
    stage.presence(detail.participants.filter((one) => one.id !== me));
    lines.people(detail.participants);
  });
  client.addEventListener("remote-track", ({ detail }) => {
    stage.attach(detail.participant, detail.kind, detail.stream);
    const whose = client.participants.find((one) => one.id === detail.participant);
    if (whose) seen.set(detail.track.id, nameOf(whose));
  });
  client.addEventListener("remote-gone", ({ detail }) => stage.detach(detail.participant));
  client.addEventListener("recording", ({ detail }) => showRecording(detail));
  client.addEventListener("quality", ({ detail }) => lines.quality(detail));
  client.addEventListener("sending", ({ detail }) => lines.sending(detail.video));
  client.addEventListener("text", ({ detail }) => written.show(detail));
  client.addEventListener("device", ({ detail }) => {
    if (detail.what === "here") lines.notice(null); // what was said of it no longer holds
    lacks.device(detail);
    showSwitches();
  });
  client.addEventListener("error", ({ detail }) => lines.notice(reasonInside(detail.code)));
  client.addEventListener("closed", ({ detail }) => closed(detail.reason));
}

function showState(state) {
  document.body.dataset.state = state;
  const waiting = state === "lobby";
  const inside = ["here", "joining", "reconnecting"].includes(state);
  $("lobby").hidden = waiting || inside || state === "closed";
  $("waiting").hidden = !waiting;
  $("in-room").hidden = !inside;
  written.allow(inside);
  $("write").hidden = waiting;
  $("controls").hidden = !(inside || waiting);
  lines.state(state);
  const focused = document.activeElement;
  if (focused === document.body || focused.closest("[hidden]")) $(inside ? "in-room" : "waiting").focus({ preventScroll: true });
}

function nameOf(one) {
  return (lang === "ar" ? one.name_ar : one.name_en) || say(`role_${one.role}`);
}

function showKnocking(participants) {
  const place = $("knocking");
  if (!place) return;
  const knocking = participants.filter((one) => one.state === "lobby");
  const known = new Set([...place.children].map((card) => card.dataset.participant));
  [...place.children].filter((card) => !knocking.some((one) => one.id === card.dataset.participant)).forEach((card) => card.remove());
  for (const one of knocking.filter((guest) => !known.has(guest.id))) {
    const admit = make("button", { class: "button button--primary button--large", type: "button", "data-admit": one.id, "data-shortcut": "a" }, iconElement("check"), say("admit"));
    admit.addEventListener("click", () => {
      admit.disabled = true;
      client.admit(one.id);
    });
    place.append(
      make("div", { class: "knock", "data-participant": one.id }, make("p", {}, make("bdi", {}, nameOf(one)), " ", say("wants_in")), admit),
    );
  }
}

// ── The recording and the clock ───────────────────────────────────────

function showRecording({ state }) {
  const sign = $("recording");
  sign.classList.toggle("recording--off", state !== "on");
  sign.classList.toggle("recording--lost", state === "lost");
  const key = { on: "recording", starting: "recording_starting", lost: "recording_lost" }[state] ?? "recording_off";
  $("recording-text").textContent = say(key);
  lines.alarm(state !== "lost" ? null : client.elapsed === null ? "no_recording" : "recording_lost");
}

setInterval(() => {
  if (!client) return;
  const seconds = client?.elapsed;
  const clock = $("elapsed");
  clock.hidden = seconds === null || seconds === undefined;
  if (clock.hidden) return;
  const whole = Math.floor(seconds);
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (n) => String(n).padStart(2, "0");
  clock.textContent = digits(h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`);
}, 500);

// ── Controls ──────────────────────────────────────────────────────────

function showSwitch(button, on, icon) {
  button.setAttribute("aria-pressed", String(!on));
  button.classList.toggle("control--off", !on);
  button.querySelector("span").textContent = on ? button.dataset.on : button.dataset.off;
  button.querySelector("use").setAttribute("href", `/static/icons.svg#${on ? icon : `${icon === "microphone" ? "mic" : icon}-off`}`);
}

function showSwitches() {
  showSwitch($("mic"), client.microphoneOn, "microphone");
  showSwitch($("cam"), client.cameraOn, "camera");
}

function keepSwitches() {
  showSwitches();
  const off = [!client.microphoneOn && "mic", !client.cameraOn && "cam"].filter(Boolean);
  sessionStorage.setItem(OFF, off.join(" "));
}

async function keepOff() {
  const off = (sessionStorage.getItem(OFF) ?? "").split(" ");
  if (off.includes("mic")) await client.setMicrophone(false);
  if (off.includes("cam")) await client.setCamera(false);
  keepSwitches();
}

$("mic").addEventListener("click", async () => {
  await client.setMicrophone(!client.microphoneOn);
  keepSwitches();
});

$("cam").addEventListener("click", async () => {
  await client.setCamera(!client.cameraOn);
  keepSwitches();
});

$("leave").addEventListener("click", () => client.leave());
$("end")?.addEventListener("click", () => $("end-sheet").showModal());
$("end-sure")?.addEventListener("click", () => {
  $("end-sheet").close();
  client.end();
});
$("join").addEventListener("click", join);
$("retry").addEventListener("click", () => check());
$("chime").addEventListener("click", chime);
$("again").addEventListener("click", () => {
  sessionStorage.setItem(INSIDE, "1");
  location.reload();
});
for (const id of ["camera", "microphone"]) {
  $(id).addEventListener("change", () => check({ cameraId: $("camera").value, microphoneId: $("microphone").value }));
}

function closed(reason) {
  sessionStorage.removeItem(INSIDE);
  sessionStorage.removeItem(OFF);
  stream?.getTracks().forEach((track) => track.stop());
  stage.clear();
  written.allow(false);
  document.querySelectorAll("dialog[open]").forEach((sheet) => sheet.close());
  lacks.clear();
  lines.clear();
  for (const id of ["lobby", "waiting", "in-room", "controls"]) $(id).hidden = true;
  $("recording").hidden = true;
  $("elapsed").hidden = true;
  showOver(reason, say);
  client = null;
}

if (host) new Orders({ button: $("order"), list: $("orders"), empty: $("orders-empty"), say, post: (path, data) => post(`${base}${path}`, frame.dataset.csrf, data) });

$("shown-out")?.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-invite]");
  if (!button) return;
  button.disabled = true;
  try {
    await post(`${base}/invite/${button.dataset.invite}`, frame.dataset.csrf);
    button.closest("li").remove();
    $("in-room").focus({ preventScroll: true }); // else it is lost with the button
  } catch (error) {
    button.before(make("p", { role: "alert" }, error.message));
    button.disabled = false;
  }
});

walkable($("controls"));

if (!("over" in frame.dataset)) {
  measureLine().then((key) => ($("line-check").textContent = say(key)));
  // What was missing may have been plugged in. Where the browser was told no, it asks nobody again by itself.
  navigator.mediaDevices?.addEventListener?.("devicechange", () => {
    if (!client && !$("retry").hidden && $("lobby-text").dataset.why !== "denied") check();
  });
  const ready = await check();
  if (ready && sessionStorage.getItem(INSIDE)) await join();
}
