// Links to a tab and to what is drawn there, such as #digits=…, which any browser can open.

import { announce } from "./messages.js";

const states = {};

/**
 * Let links hold the state of a tab, and restore it from the link that opened the page.
 *
 * @param tab The id of the tab's panel.
 * @param read Function that returns the state as text of the characters A-Z, a-z, 0-9, "-" and "_";
 *   null if it cannot be in a link.
 * @param write Function that restores the state of a text, and throws an error if it is damaged.
 */
export function keepInLink(tab, { read, write }) {
  states[tab] = { read, write };
  restore();
}

/** Return the id of the tab's panel that the page's address names, and the text of its state. */
export function readHash() {
  const [, tab = "", text = ""] = /^#([^=]*)=?(.*)$/.exec(location.hash) ?? [];
  return { tab, text };
}

/** Copy the link to the open tab and its state. Where a browser refuses, show it in a dialog. */
export async function copyLink() {
  const tab = document.querySelector('[role="tab"][aria-selected="true"]').getAttribute("aria-controls");
  const text = states[tab]?.read() ?? "";
  const url = new URL(location.href);
  url.hash = text ? `${tab}=${text}` : tab;
  try {
    await navigator.clipboard.writeText(url.href); // only in https and on localhost
    announce(`The link is copied.${describeLoss(tab)}`);
  } catch {
    const dialog = document.getElementById("link");
    const field = dialog.querySelector("input");
    field.value = url.href;
    dialog.querySelector("p").textContent = `Select and copy the link.${describeLoss(tab)}`;
    dialog.showModal();
    field.select();
  }
}

function describeLoss(tab) {
  const isLost = states[tab]?.read() === null;
  return isLost ? " It opens the tab without the picture: an opened picture cannot be in a link." : "";
}

function restore() {
  const { tab, text } = readHash();
  if (!text || !states[tab]) return;
  try {
    states[tab].write(text);
  } catch {
    announce("What is drawn in this link cannot be read: the link is damaged or cut short. Copy it again.");
  }
}

addEventListener("hashchange", restore);
