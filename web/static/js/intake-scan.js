// Papers under the counter's camera: page after page, each looked at, turned and cut, then sent as one paper.
import { basics, deliver } from "./intake.js";
import { digits, iconElement, make, openDialog, toast, word } from "./ui.js";

const open = document.getElementById("scan-open");
const dialog = document.getElementById("scanner");
const body = document.getElementById("scanner-body");
const live = document.getElementById("scan-live");
const still = document.getElementById("scan-still");
const frame = document.getElementById("scan-crop");
const corners = [...frame.querySelectorAll("[data-corner]")];
const trouble = document.getElementById("scan-trouble");
const cameras = document.getElementById("scan-camera");
const list = document.getElementById("scan-pages");
const done = document.getElementById("scan-done");
const button = Object.fromEntries(["take", "again", "turn", "keep"].map((name) => [name, document.getElementById(`scan-${name}`)]));

const WIDEST = 3508; // points of an A4 page's longer side at 300 dpi
const QUALITY = 0.88;
const MOST = 30;

let stream = null;
let pages = [];
let cut = { left: 0, top: 0, right: 1, bottom: 1 };

// ── The camera ───────────────────────────────────────────────────────
function stop() {
  stream?.getTracks().forEach((track) => track.stop());
  stream = null;
  live.srcObject = null;
}

async function start(deviceId) {
  stop();
  trouble.hidden = true;
  button.take.disabled = true; // until there is a picture to take
  const wish = { width: { ideal: 3840 }, height: { ideal: 2160 }, ...(deviceId ? { deviceId: { exact: deviceId } } : { facingMode: "environment" }) };
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: wish });
    live.srcObject = stream;
    await live.play();
    await choices(stream.getVideoTracks()[0]?.getSettings().deviceId);
  } catch {
    trouble.textContent = body.dataset.none;
    trouble.hidden = false;
  }
  button.take.disabled = !stream;
  if (stream && still.hidden) button.take.focus();
}

async function choices(chosen) {
  const found = (await navigator.mediaDevices.enumerateDevices()).filter((device) => device.kind === "videoinput");
  cameras.replaceChildren(...found.map((device, index) => make("option", { value: device.deviceId, selected: device.deviceId === chosen }, device.label || digits(index + 1))));
  cameras.hidden = found.length < 2;
}

// ── One page ─────────────────────────────────────────────────────────
function mode(looking) {
  live.hidden = looking;
  still.hidden = !looking;
  frame.hidden = !looking;
  button.take.hidden = looking;
  for (const name of ["again", "turn", "keep"]) button[name].hidden = !looking;
  if (looking) {
    place();
    button.keep.focus();
  } else button.take.focus();
}

function take() {
  if (!stream || !live.videoWidth || pages.length >= MOST) return;
  const scale = Math.min(1, WIDEST / Math.max(live.videoWidth, live.videoHeight));
  still.width = Math.round(live.videoWidth * scale);
  still.height = Math.round(live.videoHeight * scale);
  still.getContext("2d").drawImage(live, 0, 0, still.width, still.height);
  cut = { left: 0, top: 0, right: 1, bottom: 1 };
  mode(true);
}

function turn() {
  const copy = make("canvas", { width: still.width, height: still.height });
  copy.getContext("2d").drawImage(still, 0, 0);
  still.width = copy.height;
  still.height = copy.width;
  const paint = still.getContext("2d");
  paint.translate(still.width, 0);
  paint.rotate(Math.PI / 2);
  paint.drawImage(copy, 0, 0);
  cut = { left: 1 - cut.bottom, top: cut.left, right: 1 - cut.top, bottom: cut.right };
  place();
}

/** The frame lies over the picture as it is shown, whatever the size of the window. */
function place() {
  const box = still.getBoundingClientRect();
  const around = still.parentElement.getBoundingClientRect();
  const set = (name, value) => frame.style.setProperty(name, `${value}px`); // through the CSSOM: no inline style in the page
  set("left", box.left - around.left + cut.left * box.width);
  set("top", box.top - around.top + cut.top * box.height);
  set("width", (cut.right - cut.left) * box.width);
  set("height", (cut.bottom - cut.top) * box.height);
}

function move(corner, x, y) {
  const within = (value, low, high) => Math.min(Math.max(value, low), high);
  if (corner === 0) {
    cut.left = within(x, 0, cut.right - 0.1);
    cut.top = within(y, 0, cut.bottom - 0.1);
  } else {
    cut.right = within(x, cut.left + 0.1, 1);
    cut.bottom = within(y, cut.top + 0.1, 1);
  }
  place();
}

async function keep() {
  const [x, y] = [cut.left * still.width, cut.top * still.height];
  const [width, height] = [(cut.right - cut.left) * still.width, (cut.bottom - cut.top) * still.height];
  const page = make("canvas", { width: Math.round(width), height: Math.round(height) });
  page.getContext("2d").drawImage(still, x, y, width, height, 0, 0, page.width, page.height);
  const data = await new Promise((resolve) => page.toBlob(resolve, "image/jpeg", QUALITY));
  pages.push({ data, canvas: page });
  draw();
  mode(false);
}

function draw() {
  list.replaceChildren(
    ...pages.map((page, index) => {
      const thumb = make("canvas", { class: "scanner__thumb", width: 90, height: 120 });
      const scale = Math.min(90 / page.canvas.width, 120 / page.canvas.height);
      const [width, height] = [page.canvas.width * scale, page.canvas.height * scale];
      thumb.getContext("2d").drawImage(page.canvas, (90 - width) / 2, (120 - height) / 2, width, height);
      const name = body.dataset.page.replace("{n}", digits(index + 1));
      const remove = make("button", { class: "button button--ghost button--icon", type: "button", "aria-label": `${word("remove")}: ${name}` }, iconElement("x"));
      remove.addEventListener("click", () => {
        pages.splice(index, 1);
        draw();
        button.take.focus();
      });
      return make("li", { class: "scanner__page" }, thumb, make("span", { class: "small" }, name), remove);
    }),
  );
  done.disabled = pages.length === 0;
}

// ── All of them ──────────────────────────────────────────────────────
async function send() {
  done.disabled = true;
  const data = basics();
  if (document.getElementById("scan-proof").checked) data.set("as", "proof");
  pages.forEach((page) => data.append("scan", page.data, body.dataset.name));
  try {
    await deliver(data);
    pages = [];
    dialog.close();
  } catch {
    toast(word("offline"), { tone: "danger" }); // the pages stay: one press sends them again
  }
  draw();
}

// ── Wiring ───────────────────────────────────────────────────────────
if (navigator.mediaDevices?.getUserMedia) {
  open.hidden = false;
  open.addEventListener("click", () => {
    if (dialog.open) return;
    openDialog("scanner");
    draw();
    mode(false);
    start();
  });
  dialog.addEventListener("close", stop);
  cameras.addEventListener("change", () => start(cameras.value));
  button.take.addEventListener("click", take);
  button.again.addEventListener("click", () => mode(false));
  button.turn.addEventListener("click", turn);
  button.keep.addEventListener("click", keep);
  done.addEventListener("click", send);
  window.addEventListener("resize", () => !still.hidden && place());
  dialog.addEventListener("keydown", (event) => {
    if (event.target.matches("select, input")) return;
    if (event.code === "KeyR" && !still.hidden) turn();
    else if (event.code === "Space" && still.hidden && !event.target.matches("button")) take();
    else return;
    event.preventDefault();
  });
  for (const corner of corners) {
    const which = Number(corner.dataset.corner);
    corner.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      corner.setPointerCapture(event.pointerId);
    });
    corner.addEventListener("pointermove", (event) => {
      if (!corner.hasPointerCapture(event.pointerId)) return;
      const box = still.getBoundingClientRect();
      move(which, (event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
    });
    corner.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: [-0.01, 0], ArrowRight: [0.01, 0], ArrowUp: [0, -0.01], ArrowDown: [0, 0.01] }[event.key];
      if (!step) return;
      event.preventDefault();
      const [x, y] = which === 0 ? [cut.left, cut.top] : [cut.right, cut.bottom];
      move(which, x + step[0], y + step[1]);
    });
  }
}
