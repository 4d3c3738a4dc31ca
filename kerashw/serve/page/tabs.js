// Tabs as the WAI-ARIA practices describe them: arrow keys, Home and End move and select.

export function startTabs() {
  const tabs = [...document.querySelectorAll('[role="tab"]')];

  function select(tab) {
    for (const each of tabs) {
      each.setAttribute("aria-selected", String(each === tab));
      each.tabIndex = each === tab ? 0 : -1;
      document.getElementById(each.getAttribute("aria-controls")).hidden = each !== tab;
    }
    history.replaceState(null, "", `#${tab.getAttribute("aria-controls")}`);
  }

  function selectNamed() {
    const tab = tabs.find((each) => `#${each.getAttribute("aria-controls")}` === location.hash);
    if (tab) select(tab);
  }

  tabs.forEach((tab, place) => {
    const targets = {
      ArrowLeft: (place + tabs.length - 1) % tabs.length,
      ArrowRight: (place + 1) % tabs.length,
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
  addEventListener("hashchange", selectNamed);
  selectNamed();
}
