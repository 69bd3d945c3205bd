/** @file What is chosen of how an image is looked at: the channel, the window of gray, which side is left. */

import { signal } from "@preact/signals";
import type { Picture3d } from "../../protocol.ts";
import { t } from "../../text/text.ts";
import { type GrayWindow, levelOf, namedWindow, nameOf, ownWindow, widthOf, windowNames, windowOf } from "./windows.ts";

const key = "voxgrad.sides";

/** Of all viewers, and kept: whether the patient's right is on the left. */
export const radiological = signal(localStorage.getItem(key) !== "neurological");

function chooseSides(sides: string): void {
  localStorage.setItem(key, sides);
  radiological.value = sides === "radiological";
}

export function Sides({ image }: { readonly image: Picture3d }) {
  if (!image.placed) return <span class="hint">{t("viewer.unplaced")}</span>;
  return (
    <label>
      <span>{t("viewer.sides")}</span>
      <select value={radiological.value ? "radiological" : "neurological"} onChange={(e) => chooseSides(e.currentTarget.value)}>
        <option value="radiological">{t("viewer.radiological")}</option>
        <option value="neurological">{t("viewer.neurological")}</option>
      </select>
    </label>
  );
}

interface ChannelProps {
  readonly image: Picture3d;
  readonly onChannel: (channel: Picture3d["channel"]) => void;
}

export function Channel({ image: { channel, channels, colors }, onChannel }: ChannelProps) {
  if (channels < 2) return null;
  const choices = [...(colors ? ["color" as const] : []), ...Array.from({ length: channels }, (_, i) => i)];
  return (
    <label>
      <span>{t("viewer.channel")}</span>
      <select value={String(channel)} onChange={(e) => onChannel(choices[e.currentTarget.selectedIndex])}>
        {choices.map((choice) => (
          <option key={choice} value={String(choice)}>
            {choice === "color" ? t("viewer.colors") : t("viewer.channelOf", { number: choice + 1, count: channels })}
          </option>
        ))}
      </select>
    </label>
  );
}

interface WindowProps {
  readonly image: Picture3d;
  /** Null: what suits the image. */
  readonly chosen: GrayWindow | null;
  readonly onChoose: (window: GrayWindow | null) => void;
}

export function Windowing({ image, chosen, onChoose }: WindowProps) {
  if (image.channel === "color" || image.window === null) return null;
  const window = chosen ?? ownWindow(image, image.window);
  const [level, width] = [levelOf(window), widthOf(window)];
  const name = chosen ? (image.hounsfield && nameOf(chosen)) || "own" : "auto";
  const names = ["auto", ...(image.hounsfield ? windowNames : []), ...(name === "own" ? (["own"] as const) : [])] as const;
  const choose = (picked: (typeof names)[number]): void => {
    if (picked !== "own") onChoose(picked === "auto" ? null : namedWindow(picked));
  };
  const type = (level: number, width: number): void => {
    if (Number.isFinite(level) && width > 0) onChoose(windowOf(level, width));
  };
  return (
    <>
      <label>
        <span>{t("viewer.window")}</span>
        <select value={name} onChange={(e) => choose(names[e.currentTarget.selectedIndex])}>
          {names.map((n) => (
            <option key={n} value={n}>
              {t(`viewer.window.${n}`)}
            </option>
          ))}
        </select>
      </label>
      <label>
        <span>{t("viewer.level")}</span>
        <input
          type="number"
          step="any"
          value={rounded(level, width)}
          onChange={(e) => type(e.currentTarget.valueAsNumber, width)}
        />
      </label>
      <label>
        <span>{t("viewer.width")}</span>
        <input
          type="number"
          step="any"
          min="0"
          value={rounded(width, width)}
          onChange={(e) => type(level, e.currentTarget.valueAsNumber)}
        />
      </label>
    </>
  );
}

/** To a thousandth of the width. */
const rounded = (value: number, width: number): string =>
  String(Number(value.toFixed(Math.min(20, Math.max(0, 3 - Math.floor(Math.log10(width)))))));
