/** @file How far something is, for eyes and for screen readers. */

import type { Progress } from "../../protocol.ts";
import { shownTime, t } from "../../text/text.ts";

interface ProgressBarProps {
  readonly progress: Progress | null;
  readonly detail?: string | undefined;
  readonly onCancel?: (() => void) | undefined;
  readonly cancelLabel?: string | undefined;
}

export function ProgressBar({ progress, detail, onCancel, cancelLabel }: ProgressBarProps) {
  if (!progress) return null;
  const { what, done, total, eta } = progress;
  const known = total > 1;
  const label = t(`phase.${what}`);
  return (
    <div class="progress">
      <div class="progress-line">
        <span role="status">{label}</span>
        {known && <span class="faint">{t("phase.of", { done, total })}</span>}
        {eta !== undefined && Number.isFinite(eta) && <span class="faint">{t("phase.eta", { time: shownTime(eta) })}</span>}
        {onCancel && (
          <button type="button" class="quiet" onClick={onCancel}>
            {cancelLabel ?? t("phase.cancel")}
          </button>
        )}
      </div>
      <progress aria-label={label} max={known ? total : undefined} value={known ? done : undefined} />
      {detail && <p class="hint">{detail}</p>}
    </div>
  );
}
