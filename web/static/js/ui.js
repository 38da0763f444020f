// What page modules use: `import { toast, ask, register } from "/static/js/ui.js";`
export { ask, openDialog } from "./dialogs.js";
export { register, showSheet } from "./shortcuts.js";
export { toast } from "./toasts.js";
export { digits, fill, iconElement, lang, make, word } from "./words.js";
export { isDirty } from "./forms.js";
export { running, timeOfDay } from "./clocks.js";
export { print } from "./small.js";
export { refresh } from "./live.js";
