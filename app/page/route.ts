/** @file Which view is shown: the part of the address behind the #. */

import { signal } from "@preact/signals";

export const views = ["segment", "train", "look"] as const;
export type View = (typeof views)[number];

const current = (): View => views.find((v) => location.hash === `#${v}`) ?? "segment";

export const view = signal<View>(current());

addEventListener("hashchange", () => {
  view.value = current();
});

export function go(to: View): void {
  location.hash = to;
}
