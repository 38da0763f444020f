// The entry of every page: behaviour is asked for by data attributes, so pages carry no scripts of their own.
import { wireClocks } from "./clocks.js";
import { wireConfirmedLinks, wireDialogs } from "./dialogs.js";
import { wireFiles } from "./files.js";
import { wireForms } from "./forms.js";
import { wireIdle } from "./idle.js";
import { wireLive } from "./live.js";
import { wireShortcuts } from "./shortcuts.js";
import { wireSmall } from "./small.js";
import { wireToasts } from "./toasts.js";

wireToasts();
wireDialogs();
wireConfirmedLinks();
wireForms();
wireFiles();
wireShortcuts();
wireClocks();
wireSmall();
wireIdle();
wireLive();
document.documentElement.dataset.ready = "";
