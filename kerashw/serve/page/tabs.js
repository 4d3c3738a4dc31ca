// Tabs after the WAI-ARIA practices: the arrow keys, Home and End move the focus and select a tab.

import { readHash } from "./link.js";

export function startTabs() {
  const tabs = [...document.querySelectorAll('[role="tab"]')];

  function show(tab) {
    for (const each of tabs) {
      each.setAttribute("aria-selected", String(each === tab));
      each.tabIndex = each === tab ? 0 : -1;
      document.getElementById(each.getAttribute("aria-controls")).hidden = each !== tab;
    }
  }

  function select(tab) {
    show(tab);
    history.replaceState(null, "", `#${tab.getAttribute("aria-controls")}`);
  }

  function showFromHash() {
    const tab = tabs.find((each) => each.getAttribute("aria-controls") === readHash().tab);
    if (tab) show(tab);
  }

  tabs.forEach((tab, index) => {
    const targets = {
      ArrowLeft: (index + tabs.length - 1) % tabs.length,
      ArrowRight: (index + 1) % tabs.length,
      Home: 0,
      End: tabs.length - 1,
    };
    tab.addEventListener("click", () => select(tab));
    tab.addEventListener("keydown", (event) => {
      const target = tabs[targets[event.key]];
      if (!target) return;
      event.preventDefault();
      select(target);
      target.focus();
    });
  });
  addEventListener("hashchange", showFromHash);
  showFromHash();
}
