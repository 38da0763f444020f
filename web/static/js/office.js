// The office's pages: wishes that search at once, the text that belongs to the chosen time, fields of the chosen kind.

/** A changed wish asks the server anew; the button remains for who has no script. */
function wireFilters() {
  for (const form of document.querySelectorAll("form[data-filters]")) {
    form.addEventListener("change", (event) => {
      if (event.target.matches("select, input[type=checkbox], input[type=date]")) form.requestSubmit();
    });
  }
}

function showTextOfChoice() {
  const chosen = document.querySelector("input[data-shows]:checked");
  if (!chosen) return;
  for (const text of document.querySelectorAll(".preview__text")) text.hidden = text.id !== chosen.dataset.shows;
}

/** data-only="video" is shown while the radio `kind` says so, and its fields then must be filled in. */
function showFieldsOfKind() {
  const kind = document.querySelector("#session input[name=kind]:checked")?.value;
  for (const part of document.querySelectorAll("#session [data-only]")) {
    const wanted = part.dataset.only === kind;
    part.hidden = !wanted;
    part.querySelectorAll("input, select").forEach((field) => (field.disabled = !wanted));
  }
}

wireFilters();
showTextOfChoice();
showFieldsOfKind();
document.addEventListener("change", (event) => {
  if (event.target.matches("input[data-shows]")) showTextOfChoice();
  if (event.target.matches("#session input[name=kind]")) showFieldsOfKind();
});
