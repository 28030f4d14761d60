/** Draws lines over time by uPlot, in the colours of the theme; lines and areas differ by dash and pattern too. */
import type { FlowHistory, Live } from "@typed-flows/react";
import { useEffect, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { compact, timeShort } from "../../format";
import type { Tone } from "../../parts/shapes";
import * as text from "../../text";
import { ink, patternOf } from "./patterns";

export type Shade = "plain" | "dots" | "hatch" | "line" | "dashed" | "dotted";
export interface Series {
  name: string;
  tone: Tone;
  shade: Shade;
}

interface Props {
  label: string;
  /** When each step began, ms since 1970. */
  times: readonly number[];
  rows: readonly (readonly (number | null)[])[];
  series: readonly Series[];
  /** Whether the values stand on each other, from zero; or each for itself, in milliseconds, by powers of ten. */
  scale: "stack" | "log";
  marks: Live<FlowHistory>["marks"];
  /** Which step the pointer is over. */
  onUnder: (step: number | null) => void;
}

const HEIGHT = 186;
const dashes: Partial<Record<Shade, number[]>> = { dashed: [5, 4], dotted: [1.5, 3] };

export default function Plot(props: Props) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const { label, times, rows, scale, series } = props;
  const shape = `${scale} ${series.map((one) => one.name).join(" ")}`;

  useEffect(() => {
    const div = place.current!;
    const draw = () => {
      plot.current?.destroy();
      plot.current = new uPlot(optionsOf(latest, div), dataOf(latest.current), div);
    };
    draw();
    const sized = new ResizeObserver(() => plot.current?.setSize({ width: div.clientWidth, height: HEIGHT }));
    sized.observe(div);
    const themed = new MutationObserver(draw);
    themed.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    return () => {
      sized.disconnect();
      themed.disconnect();
      plot.current?.destroy();
      plot.current = null;
    };
  }, [shape]);

  useEffect(() => {
    plot.current?.setData(dataOf({ times, rows, scale }));
  }, [times, rows, scale]);

  return <div className="plot" ref={place} role="img" aria-label={label} />;
}

function dataOf({ times, rows, scale }: Pick<Props, "times" | "rows" | "scale">): uPlot.AlignedData {
  const seconds = times.map((time) => time / 1000);
  if (scale === "log") return [seconds, ...rows.map((row) => row.map((one) => (one == null ? one : Math.max(1, one))))];
  const sums = times.map(() => 0);
  return [seconds, ...rows.map((row) => row.map((one, i) => (one == null ? null : (sums[i]! += one))))];
}

function optionsOf(latest: { current: Props }, div: HTMLElement): uPlot.Options {
  const { series, scale } = latest.current;
  const stacked = scale === "stack";
  const grid = { stroke: ink("--line"), width: 1 };
  const font = `11px ${getComputedStyle(div).fontFamily}`;
  return {
    width: div.clientWidth,
    height: HEIGHT,
    padding: [16, 0, 0, 16],
    legend: { show: false },
    cursor: { y: false, points: { size: 6 }, drag: { x: false, y: false } },
    scales: stacked
      ? { y: { range: (_u, _least, most) => [0, Math.max(1, most) * 1.1] } }
      : {
          y: {
            distr: 3,
            range: (_u, _least, most) => [1, 10 ** Math.max(2, Math.ceil(Math.log10(Math.max(10, most))))],
          },
        },
    axes: [
      {
        stroke: ink("--ink-3"),
        font,
        grid: { show: false },
        ticks: { show: false },
        space: 110,
        size: 26,
        values: (_u, at) => at.map((one) => timeShort(one * 1000)),
      },
      {
        stroke: ink("--ink-3"),
        font,
        side: 1,
        size: 52,
        grid,
        ticks: { show: false },
        space: 34,
        values: (_u, at) => at.map((one) => (stacked ? compact(one) : text.board.tick(one))),
        ...(!stacked && { splits: powersOfTen, filter: (_u: uPlot, splits: number[]) => splits }),
      },
    ],
    bands: stacked ? series.slice(1).map((_, i) => ({ series: [i + 2, i + 1] as [number, number] })) : [],
    series: [
      {},
      ...series.map((one): uPlot.Series => {
        const dash = dashes[one.shade];
        return {
          label: one.name,
          stroke: ink(`--${one.tone}`),
          width: one.shade === "dotted" ? 1.25 : 1.6,
          points: { show: (_u, _i, first, last) => last - first < 2, size: 5 },
          ...(dash && { dash }),
          ...(stacked && { fill: (u: uPlot) => patternOf(u.ctx, ink(`--${one.tone}`), one.shade) }),
        };
      }),
    ],
    hooks: {
      draw: [(u) => drawMarks(u, latest.current.marks, font)],
      setCursor: [(u) => latest.current.onUnder(u.cursor.idx ?? null)],
    },
  };
}

function powersOfTen(_u: uPlot, _axis: number, least: number, most: number): number[] {
  const first = Math.ceil(Math.log10(least));
  return Array.from({ length: Math.floor(Math.log10(most)) - first + 1 }, (_, i) => 10 ** (first + i));
}

/** Lines where processes of a release came. */
function drawMarks(u: uPlot, marks: Props["marks"], font: string) {
  const { ctx } = u;
  const dots = devicePixelRatio;
  ctx.save();
  ctx.strokeStyle = ctx.fillStyle = ink("--ink-3");
  ctx.lineWidth = dots;
  ctx.setLineDash([1.5 * dots, 3 * dots]);
  ctx.font = font.replace("11px", `${11 * dots}px`);
  let free = 0;
  for (const mark of marks) {
    const at = Date.parse(mark.at) / 1000;
    const x = Math.round(u.valToPos(at, "x", true));
    if (x < u.bbox.left || x > u.bbox.left + u.bbox.width) continue;
    ctx.beginPath();
    ctx.moveTo(x, u.bbox.top - 8 * dots);
    ctx.lineTo(x, u.bbox.top + u.bbox.height);
    ctx.stroke();
    const said = text.board.deploy(mark.digest, timeShort(mark.at));
    const wide = ctx.measureText(said).width;
    const right = x + 4 * dots + wide < u.bbox.left + u.bbox.width;
    const from = right ? x + 4 * dots : x - 4 * dots - wide;
    if (from < free) continue; // texts do not lie on each other
    ctx.fillText(said, from, u.bbox.top - 4 * dots);
    free = from + wide + 8 * dots;
  }
  ctx.restore();
}
