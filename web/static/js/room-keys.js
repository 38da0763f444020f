// The row of controls by keyboard: arrows walk it as in every toolbar (WAI-ARIA), first and last by Home and End.

export function walkable(bar) {
  bar.addEventListener("keydown", (event) => {
    const forward = getComputedStyle(bar).direction === "rtl" ? "ArrowLeft" : "ArrowRight";
    const back = forward === "ArrowLeft" ? "ArrowRight" : "ArrowLeft";
    const buttons = [...bar.querySelectorAll("button")].filter((one) => one.getClientRects().length && !one.disabled);
    const at = buttons.indexOf(document.activeElement);
    const to = { [forward]: at + 1, [back]: at - 1, Home: 0, End: buttons.length - 1 }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    buttons[(to + buttons.length) % buttons.length].focus();
  });
}
