/** @file A curve that grows, by uPlot, which is loaded when there is one. */

import type uPlot from "uplot";
import { useEffect, useRef } from "preact/hooks";

export interface ChartProps {
  readonly title: string;
  readonly xLabel: string;
  /** Name and color of each curve. */
  readonly series: readonly { readonly name: string; readonly color: string }[];
  /** x, then the values of each curve; null where a curve has none. */
  readonly data: readonly (readonly (number | null)[])[];
  /** Least and greatest value, where these are known. */
  readonly range?: readonly [number, number] | undefined;
}

const height = 200;

const optionsOf = ({ title, xLabel, series, range }: ChartProps, width: number): uPlot.Options => {
  const css = getComputedStyle(document.documentElement);
  const [ink, line] = ["--faint", "--line"].map((name) => css.getPropertyValue(name));
  const axis = { stroke: ink, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 }, font: "12px system-ui" };
  return {
    width,
    height,
    title,
    legend: { show: series.length > 1 },
    cursor: { drag: { x: false, y: false } },
    scales: { x: { time: false }, y: range ? { range: [...range] as uPlot.Range.MinMax } : {} },
    axes: [
      { ...axis, label: xLabel, labelSize: 18, labelFont: "12px system-ui" },
      { ...axis, size: 52 },
    ],
    series: [
      { label: xLabel },
      ...series.map(({ name, color }) => ({ label: name, stroke: color, width: 1.5, points: { show: false }, spanGaps: true })),
    ],
  };
};

export function Chart(props: ChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const { title, series, data } = props;
  const columns = data.map((c) => [...c]) as unknown as uPlot.AlignedData;
  const latest = useRef(columns);
  latest.current = columns;
  useEffect(() => {
    let gone = false;
    const place = box.current!;
    const observer = new ResizeObserver(() => plot.current?.setSize({ width: place.clientWidth, height }));
    void Promise.all([import("uplot"), import("uplot/dist/uPlot.min.css")]).then(([{ default: Plot }]) => {
      if (gone) return;
      plot.current = new Plot(optionsOf(props, place.clientWidth), latest.current, place);
      observer.observe(place);
    });
    return () => {
      gone = true;
      observer.disconnect();
      plot.current?.destroy();
      plot.current = null;
    };
  }, [title, series.map((s) => s.name + s.color).join()]);
  useEffect(() => plot.current?.setData(columns), [data]);
  return <div ref={box} class="chart" role="img" aria-label={title} />;
}
