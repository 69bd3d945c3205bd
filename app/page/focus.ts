/** @file The focus of a keyboard is not lost with what had it: a control that is disabled for a while, or that is gone when it has done what it was for. */

// As many as lie near one another.
const most = 30;

/** Gives the focus back to a control once it is enabled again; where it is gone, to what had the focus last of what is still there. */
export function keepFocus(): void {
  let had: HTMLElement[] = [];
  let lost = false;
  addEventListener("focusin", ({ target }) => {
    lost = false;
    had = [...had.filter((e) => e !== target && e.isConnected), target as HTMLElement].slice(-most);
  });
  // Who presses beside all controls wants it nowhere.
  addEventListener("pointerdown", () => {
    lost = false;
    had = [];
  });
  new MutationObserver(() => {
    const at = had.at(-1);
    lost ||= at !== undefined && !takes(at) && [null, document.body, at].includes(document.activeElement as HTMLElement);
    if (!lost) return;
    // One that is only disabled will be back.
    if (at?.isConnected && !takes(at)) return;
    had.findLast(takes)?.focus({ preventScroll: true });
  }).observe(document.body, { subtree: true, childList: true, attributeFilter: ["disabled"] });
}

const takes = (element: HTMLElement): boolean =>
  element.isConnected && !element.matches(":disabled") && element.checkVisibility();
