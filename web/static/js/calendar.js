// A session's form: what belongs to one choice alone is shown while that choice stands.

/** data-only="video" is shown while a radio of its form says "video"; hidden fields are not asked for. */
function show(form) {
  const chosen = new Set([...form.querySelectorAll('input[type="radio"]:checked')].map((radio) => radio.value));
  const radios = form.querySelector('input[type="radio"]');
  for (const part of radios ? form.querySelectorAll("[data-only]") : []) {
    part.hidden = !chosen.has(part.dataset.only);
  }
}

function start() {
  for (const form of document.querySelectorAll("form")) {
    show(form);
    form.addEventListener("change", () => show(form));
  }
}

document.addEventListener("majlis:refreshed", start);
start();
