import { memo } from "react";
import * as text from "../../text";

const MOST = 48;

interface Props {
  slots: number;
  busy: number;
  /** How many of the busy ones run for long. */
  long: number;
  /** Whether what runs there stands still. */
  still: boolean;
}

/** A cell is a slot; of very many, several. */
export const Slots = memo(function Slots({ slots, busy, long, still }: Props) {
  const each = Math.max(1, Math.ceil(slots / MOST));
  const cells = Math.ceil(slots / each);
  const taken = Math.min(cells, Math.ceil(busy / each));
  const late = Math.min(taken, Math.ceil(long / each));
  const kind = (i: number) => (i >= taken ? "" : still ? "x" : i >= taken - late ? "l" : "b");
  const label = text.workers.slotsAre(busy, slots, long);
  return (
    <span
      className="slots"
      role="img"
      aria-label={label}
      title={each > 1 ? `${label}; ${text.workers.cellIs(each)}` : label}
    >
      {Array.from({ length: cells }, (_, i) => (
        <i key={i} className={kind(i)} />
      ))}
    </span>
  );
});

/** What the cells mean. */
export function SlotsKey() {
  const { keyRuns, keyLong, keyStill, keyFree } = text.workers;
  const kinds = [
    ["b", keyRuns],
    ["l", keyLong],
    ["x", keyStill],
    ["", keyFree],
  ] as const;
  return (
    <div className="keyrow">
      {kinds.map(([kind, word]) => (
        <span key={word}>
          <span className="slots" aria-hidden="true">
            <i className={kind} />
          </span>
          {word}
        </span>
      ))}
    </div>
  );
}
