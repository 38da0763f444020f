// A recording that is being prepared: as soon as it can be played, the page is loaded afresh with its player.
document.addEventListener("majlis:refreshed", () => {
  if (document.querySelector("#preparing [data-ready]")) location.reload();
});
