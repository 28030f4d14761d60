import type { Tone } from "./shapes";

interface Props {
  /** In order of time; null is a gap. */
  values: readonly (number | null)[];
  tone: Tone;
  /** What it shows, for who does not see it. */
  label: string;
  height?: number;
}

const WIDTH = 100;
const PAD = 2;

/** A line without axes, from zero. */
export function Sparkline({ values, tone, label, height = 26 }: Props) {
  const most = Math.max(...values.map((value) => value ?? 0), 1e-9) * 1.06;
  const x = (i: number) => (values.length < 2 ? 0 : (i / (values.length - 1)) * WIDTH);
  const y = (value: number) => height - PAD - (value / most) * (height - 2 * PAD);
  const stretches = stretchesOf(values);
  return (
    <svg
      className={`spark ${tone}`}
      viewBox={`0 0 ${WIDTH} ${height}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      {stretches.map(({ from, values: some }) => {
        const line = some.map((value, i) => `${x(from + i).toFixed(1)} ${y(value).toFixed(1)}`).join("L");
        return (
          <g key={from}>
            <path
              className="a"
              d={`M${line}L${x(from + some.length - 1).toFixed(1)} ${height}L${x(from).toFixed(1)} ${height}Z`}
            />
            <path className="l" d={`M${line}`} />
          </g>
        );
      })}
    </svg>
  );
}

function stretchesOf(values: readonly (number | null)[]) {
  const found: { from: number; values: number[] }[] = [];
  values.forEach((value, i) => {
    if (value === null) return;
    const last = found.at(-1);
    if (last && last.from + last.values.length === i) last.values.push(value);
    else found.push({ from: i, values: [value] });
  });
  return found;
}
