// What a class needs: full screen, large type, the help for the keyboard, links and pictures.

import { copyLink } from "./link.js";
import { announce } from "./messages.js";
import { runWaiting } from "./on_screen.js";
import { takePicture } from "./picture.js";

const TEXT_FIELDS = "textarea, select, input:not([type=button], [type=checkbox], [type=file], [type=range])";

export function startTools() {
  const actions = {
    "copy-link": copyLink,
    "save-png": savePng,
    "large-type": toggleLargeType,
    "full-screen": toggleFullScreen,
    "show-keys": toggleKeys,
  };
  for (const [id, action] of Object.entries(actions)) {
    document.getElementById(id).addEventListener("click", action);
  }
  for (const button of document.querySelectorAll("dialog button")) {
    button.addEventListener("click", () => button.closest("dialog").close());
  }
  const fullScreen = document.getElementById("full-screen");
  fullScreen.hidden = !document.fullscreenEnabled; // as on an iPhone
  document.addEventListener("fullscreenchange", () => {
    fullScreen.setAttribute("aria-pressed", String(Boolean(document.fullscreenElement)));
  });
  const keys = { "?": toggleKeys, "+": toggleLargeType, f: toggleFullScreen };
  addEventListener("keydown", (event) => {
    const isTyped = event.target.matches(TEXT_FIELDS);
    if (isTyped || event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
    keys[event.key]?.();
  });
}

function toggleKeys() {
  const dialog = document.getElementById("keys");
  if (dialog.open) dialog.close();
  else dialog.showModal();
}

function toggleLargeType() {
  const isLarge = document.documentElement.classList.toggle("large");
  document.getElementById("large-type").setAttribute("aria-pressed", String(isLarge));
}

async function toggleFullScreen() {
  if (!document.fullscreenEnabled) return;
  await (document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen());
}

/** Save a picture of the open tab. */
async function savePng() {
  const panel = document.querySelector('[role="tabpanel"]:not([hidden])');
  try {
    await runWaiting();
    const url = URL.createObjectURL(await takePicture(panel));
    const link = document.createElement("a");
    link.href = url;
    link.download = `kerashw-${panel.id}.png`;
    link.click();
    URL.revokeObjectURL(url);
    announce(`Saved as ${link.download}.`);
  } catch (error) {
    announce(`The picture cannot be saved in this browser. Take a screenshot instead. Received: ${error.message}`);
  }
}
