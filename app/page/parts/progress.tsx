/** @file How far something is, for eyes and for screen readers. */

import { useEffect } from "preact/hooks";
import type { Progress } from "../../protocol.ts";
import { shownTime, t } from "../../text/text.ts";
import { said } from "../said.ts";

interface ProgressBarProps {
  readonly progress: Progress | null;
  readonly detail?: string | undefined;
  readonly onCancel?: (() => void) | undefined;
  readonly cancelLabel?: string | undefined;
}

export function ProgressBar({ progress, detail, onCancel, cancelLabel }: ProgressBarProps) {
  const label = progress && t(`phase.${progress.what}`);
  useEffect(() => {
    if (label) said.value = label;
  }, [label]);
  if (!progress) return null;
  const { done, total, eta } = progress;
  const known = total > 1;
  return (
    <div class="progress">
      <div class="progress-line">
        <span>{label}</span>
        {known && <span class="faint">{t("phase.of", { done, total })}</span>}
        {eta !== undefined && Number.isFinite(eta) && <span class="faint">{t("phase.eta", { time: shownTime(eta) })}</span>}
        {onCancel && (
          <button type="button" class="quiet" onClick={onCancel}>
            {cancelLabel ?? t("phase.cancel")}
          </button>
        )}
      </div>
      <progress aria-label={label ?? ""} max={known ? total : undefined} value={known ? done : undefined} />
      {detail && <p class="hint">{detail}</p>}
    </div>
  );
}
