// Work for an element that waits while the element is not on the screen.

const waiters = new Set(); // {element, runNewest}

/**
 * Return a function that calls `run` with its value if an element is on the screen. Otherwise, the
 * newest value waits until the element comes on the screen.
 */
export function whileOnScreen(element, run) {
  let isOnScreen = false;
  let waiting = [];
  const runNewest = () => (waiting.length ? run(waiting.pop()) : undefined);
  waiters.add({ element, runNewest });
  new IntersectionObserver((entries) => {
    isOnScreen = entries.at(-1).isIntersecting;
    if (isOnScreen) runNewest();
  }).observe(element);
  return (value) => {
    waiting = [value];
    return isOnScreen ? runNewest() : undefined;
  };
}

/** Run what waits for elements that are not on the screen, until nothing waits. */
export async function runWaiting() {
  for (let running = runAll(); running.length; running = runAll()) await Promise.all(running);
}

function runAll() {
  for (const each of waiters) {
    if (!each.element.isConnected) waiters.delete(each);
  }
  return [...waiters].map(({ runNewest }) => runNewest()).filter(Boolean);
}
