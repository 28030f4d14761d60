/** How much of a limiter was used in the last minute, as the page has seen it, against the limit. */
import { useEffect, useRef, useState } from "react";
import * as text from "../../text";

const t = text.limits;
const SPAN_MS = 60_000;
const WIDTH = 600;
const HEIGHT = 84;
const TOP = 14;

interface Sample {
  at: number;
  used: number;
}

export function UseChart({
  used,
  live,
  wanted,
  at,
}: {
  used: number;
  live: number;
  wanted: number | null;
  at: number;
}) {
  const samples = useSamples(used, at);
  const most = Math.max(live, wanted ?? 0, ...samples.map((one) => one.used)) * 1.05;
  const first = Math.min(samples[0]?.at ?? at, at - 5_000);
  const x = (time: number) => ((time - first) / Math.max(1, at - first)) * WIDTH;
  const y = (value: number) => TOP + (1 - value / most) * (HEIGHT - TOP);
  const line = samples.map((one) => `${x(one.at).toFixed(1)} ${y(one.used).toFixed(1)}`).join("L");
  return (
    <div className="use-chart">
      <div className="drawn">
        <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={t.chart(live)}>
          {samples.length > 1 && (
            <>
              <path className="a" d={`M${line}L${WIDTH} ${HEIGHT}L${x(samples[0]!.at).toFixed(1)} ${HEIGHT}Z`} />
              <path className="l" d={`M${line}`} />
            </>
          )}
          <path className="most" d={`M0 ${y(live)}H${WIDTH}`} />
          {wanted !== null && wanted !== live && <path className="new" d={`M${WIDTH * 0.7} ${y(wanted)}H${WIDTH}`} />}
        </svg>
        <span className="warn" style={{ top: `${(100 * y(live)) / HEIGHT}%` }}>
          {t.limitLine(live)}
        </span>
        {wanted !== null && wanted !== live && (
          <span className="new" style={{ top: `${(100 * apart(y(wanted), y(live))) / HEIGHT}%` }}>
            {t.newLine(wanted)}
          </span>
        )}
      </div>
      <div className="txt">
        <span>{t.minuteAgo(at - first)}</span>
        <span>{t.now}</span>
      </div>
    </div>
  );
}

/** Two texts do not lie on each other. */
const apart = (y: number, other: number) => (Math.abs(y - other) >= 16 ? y : y > other ? other + 16 : other - 16);

/** What was told in the last minute; the server keeps no history of it. */
function useSamples(used: number, at: number): readonly Sample[] {
  const kept = useRef<Sample[]>([]);
  const [samples, setSamples] = useState<readonly Sample[]>([]);
  useEffect(() => {
    const last = kept.current.at(-1);
    if (last && at <= last.at) return;
    kept.current = [...kept.current.filter((one) => one.at > at - SPAN_MS), { at, used }];
    setSamples(kept.current);
  }, [used, at]);
  return samples;
}
