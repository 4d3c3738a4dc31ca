// Strokes of a mouse, a finger or a pen.

// A pointer that goes down on one of these outside of a canvas does not draw.
const CONTROLS = "a, button, input, label, canvas, [tabindex], [role=grid]";
const MARGIN = 16; // pixels around a canvas in which a finger or a pen draws and does not scroll

/** Return the events of all positions since the last event, of which a browser reports one. */
export function eventsOf(event) {
  const events = event.getCoalescedEvents?.() ?? [];
  return events.length ? events : [event];
}

/**
 * Listen to strokes on a canvas. A stroke can begin outside of it and move in.
 *
 * @param canvas The element.
 * @param start Function that is called with the first point of a stroke: [x, y], as fractions of
 *   the canvas, which can be less than 0 or more than 1.
 * @param extend Function that is called with the next points of the stroke.
 * @param end Function that is called at its end.
 */
export function listenToStrokes(canvas, { start, extend, end }) {
  let outside = null; // the last point of a pointer that is down but was not on the canvas yet
  let isDrawing = false;

  const pointOf = ({ clientX, clientY }) => {
    const box = canvas.getBoundingClientRect();
    return [
      (clientX - box.left - canvas.clientLeft) / canvas.clientWidth,
      (clientY - box.top - canvas.clientTop) / canvas.clientHeight,
    ];
  };
  const isNear = ({ clientX, clientY, target }, margin) => {
    const { left, right, top, bottom } = canvas.getBoundingClientRect();
    const isIn = clientX > left - margin && clientX < right + margin
      && clientY > top - margin && clientY < bottom + margin;
    return canvas.checkVisibility() && isIn && (target === canvas || !target.closest(CONTROLS));
  };

  function draw(event, point) {
    canvas.setPointerCapture(event.pointerId);
    getSelection().removeAllRanges(); // of the text between the pointer and the canvas
    isDrawing = true;
    start(point);
  }

  document.addEventListener("pointerdown", (event) => {
    if (!event.isPrimary || event.button !== 0) return;
    if (event.target === canvas) draw(event, pointOf(event).map(clamp)); // not on the border
    else if (isNear(event, event.pointerType === "mouse" ? Infinity : MARGIN)) outside = pointOf(event);
  });
  document.addEventListener("pointermove", (event) => {
    if (!event.isPrimary) return;
    if (!(event.buttons & 1)) outside = null; // it was lifted outside of the window
    const points = eventsOf(event).map(pointOf);
    const first = outside ? points.findIndex(isInside) : 0;
    if (outside && first >= 0) draw(event, points[first - 1] ?? outside);
    outside = outside && first < 0 ? points.at(-1) : null;
    if (isDrawing) extend(points.slice(first));
  });
  for (const name of ["pointerup", "pointercancel"]) {
    document.addEventListener(name, (event) => {
      if (!event.isPrimary) return;
      if (isDrawing) end();
      outside = null;
      isDrawing = false;
    });
  }
  // Otherwise a finger beside the canvas scrolls the page.
  const stopScrolling = (event) => {
    if (isNear(event.touches[0], MARGIN)) event.preventDefault();
  };
  canvas.closest("main").addEventListener("touchstart", stopScrolling, { passive: false });
}

function clamp(coordinate) {
  return Math.min(1, Math.max(0, coordinate));
}

function isInside(point) {
  return point.every((each) => each >= 0 && each <= 1);
}
