/** @file A run as it goes: where it is, curves, pictures of validation cases. */

import { useEffect, useMemo, useRef } from "preact/hooks";
import type { Tile } from "../../protocol.ts";
import { shownNumber, shownScore, shownTime, t } from "../../text/text.ts";
import { Chart } from "../parts/chart.tsx";
import * as state from "./state.ts";

const palette = ["#2a78c2", "#d9772b", "#2f9e6e", "#9359c4", "#c4486b", "#7a8b2a"];
// More points than this are one pixel.
const mostPoints = 1500;

export function LiveRun() {
  const live = state.live.value;
  const series = useMemo(
    () => (live?.structures ?? []).map((name, i) => ({ name, color: palette[i % palette.length] })),
    [live?.structures],
  );
  const loss = useMemo(() => lossOf(live?.steps ?? []), [live?.steps]);
  const dice = useMemo(() => diceOf(live?.epochs ?? [], series.length), [live?.epochs, series]);
  if (!live) return <p class="empty">{t("train.empty")}</p>;
  return (
    <article class="live">
      <h2>{live.name}</h2>
      <Status live={live} />
      {live.lost && <p class="hint warn">{t("train.lost")}</p>}
      <div class="charts">
        <Chart title={t("train.lossCurve")} xLabel={t("train.step.number")} series={lossSeries} data={loss} />
        <Chart title={t("train.dice")} xLabel={t("train.step.number")} series={series} data={dice} range={unit} />
      </div>
      {live.tiles.length > 0 && (
        <section>
          <h3>{t("train.tiles")}</h3>
          <div class="tiles">
            {live.tiles.map((tile) => (
              <TilePicture key={tile.id} tile={tile} />
            ))}
          </div>
        </section>
      )}
      {live.notes.length > 0 && (
        <section>
          <h3>{t("train.log")}</h3>
          <ul class="notes" lang="en">
            {live.notes.map((note) => (
              <li key={note}>{note}</li>
            ))}
          </ul>
        </section>
      )}
    </article>
  );
}

const unit = [0, 1] as const;
const lossSeries = [{ name: "loss", color: palette[0] }];

function lossOf(steps: state.Live["steps"]): (number | null)[][] {
  const stride = Math.ceil(steps.length / mostPoints) || 1;
  const taken = steps.filter((_, i) => i % stride === 0 || i === steps.length - 1);
  return [taken.map(([step]) => step), taken.map(([, loss]) => loss)];
}

function diceOf(epochs: state.Live["epochs"], count: number): (number | null)[][] {
  const known = epochs.filter((e) => e.dice);
  return [known.map((e) => e.step), ...Array.from({ length: count }, (_, c) => known.map((e) => finite(e.dice![c])))];
}

const finite = (v: number | null | undefined): number | null => (v === undefined || v === null || Number.isNaN(v) ? null : v);

const meanOf = ({ dice }: state.Live["epochs"][number]): number | null => {
  const known = (dice ?? []).filter((d): d is number => d !== null && !Number.isNaN(d));
  return known.length > 0 ? known.reduce((a, b) => a + b, 0) / known.length : null;
};

function standing({ state: now, epochs }: state.Live): string {
  if (now === "training") return "";
  if (now !== "stopped") return t(`train.${now}`);
  const means = epochs.map(meanOf).filter((d) => d !== null);
  return means.length > 0 ? t("train.stopped", { dice: shownScore(Math.max(...means)) }) : t("train.stoppedEarly");
}

function Status({ live }: { readonly live: state.Live }) {
  const step = live.steps.at(-1);
  const validated = live.epochs.findLast((e) => e.dice);
  return (
    <>
      <dl class="numbers">
        <div>
          <dt>{t("train.epoch", { epoch: Math.min(live.epochs.length + 1, live.epochsTotal), epochs: live.epochsTotal })}</dt>
          <dd>{t("train.step", { step: step?.[0] ?? 0, total: live.total || "…" })}</dd>
        </div>
        <div>
          <dt>{t("train.loss")}</dt>
          <dd>{step ? shownNumber(step[1]) : "–"}</dd>
        </div>
        <div>
          <dt>Dice</dt>
          <dd>{shownScore(validated && meanOf(validated))}</dd>
        </div>
        {live.state === "training" && (
          <div>
            <dt>{t("train.rate", { rate: shownNumber(live.rate) })}</dt>
            <dd>{Number.isFinite(live.eta) ? t("phase.eta", { time: shownTime(live.eta) }) : "…"}</dd>
          </div>
        )}
      </dl>
      <p class="hint" role="status" data-state={live.state}>
        {standing(live)}
      </p>
    </>
  );
}

function TilePicture({ tile }: { readonly tile: Tile }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const context = canvas.current!.getContext("2d")!;
    context.putImageData(new ImageData(tile.rgba, tile.width, tile.height), 0, 0);
  }, [tile]);
  const dice = tile.dice.map(shownScore).join(" / ");
  const text = t("train.tile", { id: tile.id, epoch: tile.epoch, dice });
  return (
    <figure>
      <canvas ref={canvas} width={tile.width} height={tile.height} role="img" aria-label={text} />
      <figcaption class="hint">{text}</figcaption>
    </figure>
  );
}
