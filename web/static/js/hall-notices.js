// The words of a notice as the hall will show them, while they are written.
const strip = document.getElementById("notice-strip");
const form = document.getElementById("notice-form");

function draw() {
  for (const line of strip.querySelectorAll("[data-of]")) line.textContent = form.elements[line.dataset.of].value.trim() || "…";
  strip.classList.toggle("is-urgent", form.elements.urgent.checked);
}

form.addEventListener("input", draw);
draw();
