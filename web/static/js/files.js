// Chosen files shown before they are sent. Pictures are drawn on a canvas, which needs no blob: in the page's policy.
import { iconElement, make, word } from "./words.js";

const THUMB = 112;

async function thumbnail(file) {
  const frame = make("span", { class: "drop__thumb" }, iconElement("document"));
  if (!file.type.startsWith("image/")) return frame;
  try {
    const bitmap = await createImageBitmap(file);
    const canvas = make("canvas", { class: "drop__thumb", width: THUMB, height: THUMB });
    const side = Math.min(bitmap.width, bitmap.height);
    canvas.getContext("2d").drawImage(bitmap, (bitmap.width - side) / 2, (bitmap.height - side) / 2, side, side, 0, 0, THUMB, THUMB);
    bitmap.close();
    return canvas;
  } catch {
    return frame;
  }
}

const size = (bytes) => new Intl.NumberFormat(document.documentElement.lang === "ar" ? "ar-SA-u-nu-arab" : "en", { style: "unit", unit: bytes < 1e6 ? "kilobyte" : "megabyte", maximumFractionDigits: bytes < 1e6 ? 0 : 1 }).format(bytes / (bytes < 1e6 ? 1e3 : 1e6));

async function show(box) {
  const input = box.querySelector("input[type=file]");
  const list = box.querySelector("[data-file-list]");
  const limit = Number(box.dataset.maxMb || 20) * 1024 * 1024;
  const large = [...input.files].find((file) => file.size > limit);
  input.setCustomValidity(large ? word("too-large") : "");
  const lines = await Promise.all(
    [...input.files].map(async (file, index) => {
      const remove = make("button", { class: "button button--ghost button--icon", type: "button", "aria-label": `${word("remove")}: ${file.name}`, "data-file-remove": index }, iconElement("x"));
      const words = make("span", { class: "drop__name" }, make("bdi", {}, file.name), " ", make("span", { class: "soft small" }, size(file.size)));
      if (file.size > limit) words.append(make("span", { class: "field__error" }, iconElement("warning"), word("too-large")));
      return make("li", { class: "drop__file" }, await thumbnail(file), words, remove);
    }),
  );
  list.replaceChildren(...lines);
}

function drop(button) {
  const box = button.closest("[data-file]");
  const input = box.querySelector("input[type=file]");
  const left = new DataTransfer();
  [...input.files].forEach((file, index) => index !== Number(button.dataset.fileRemove) && left.items.add(file));
  input.files = left.files;
  show(box);
  input.focus();
}

export function wireFiles() {
  document.addEventListener("change", (event) => {
    const box = event.target.closest?.("[data-file]");
    if (box && event.target.type === "file") show(box);
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-file-remove]");
    if (button) drop(button);
  });
  for (const [name, over] of [["dragenter", true], ["dragleave", false], ["drop", false]]) {
    document.addEventListener(name, (event) => event.target.closest?.(".drop")?.classList.toggle("is-over", over));
  }
}
