/** When and how: priority, delay, key. */
import { useId, type ReactNode } from "react";
import { Card } from "../../parts/Card";
import { Segments } from "../../parts/Segments";
import * as text from "../../text";
import type { When } from "./when";

const said = text.newJob;
const BEGINS = [
  ["now", said.now],
  ["in", said.in],
  ["at", said.at],
] as const;

interface Props {
  when: When;
  /** How many priorities the first queue has. */
  priorities: number;
  /** A key is of one job. */
  many: boolean;
  wrong: string | null;
  onChange: (when: When) => void;
}

export function WhenCard({ when, priorities, many, wrong, onChange }: Props) {
  const change = (some: Partial<When>) => onChange({ ...when, ...some });
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const bands = Array.from(
    { length: priorities },
    (_, n) =>
      [
        String(n + 1),
        n === 0 ? said.priorityFirst : n === priorities - 1 ? said.priorityLast(n + 1) : String(n + 1),
      ] as const,
  );
  return (
    <Card title={said.when}>
      <div className="form">
        <div className="g2">
          {priorities > 1 && (
            <div className="field">
              <span className="legend-l">{said.priority}</span>
              <Segments
                label={said.priority}
                options={bands}
                value={String(when.priority)}
                onChange={(value) => change({ priority: Number(value) })}
              />
              <span className="help">{said.bands(priorities)}</span>
            </div>
          )}
          <div className="field">
            <span className="legend-l">{said.begins}</span>
            <Segments
              label={said.begins}
              options={BEGINS}
              value={when.begins}
              onChange={(begins) => change({ begins })}
            />
          </div>
        </div>
        <div className="g2">
          {when.begins === "in" && (
            <Box
              label={said.delay}
              type={said.delayType}
              help={said.delayHelp}
              wrong={wrong}
              value={when.delay}
              onChange={(delay) => change({ delay })}
            />
          )}
          {when.begins === "at" && (
            <Box
              label={said.runAt}
              kind="datetime-local"
              help={said.runAtHelp(zone)}
              wrong={wrong}
              value={when.runAt}
              onChange={(runAt) => change({ runAt })}
            />
          )}
          {!many && (
            <Box label={said.key} optional help={said.keyHelp} value={when.key} onChange={(key) => change({ key })} />
          )}
          <Box
            label={said.correlation}
            optional
            help={said.correlationHelp}
            value={when.correlation}
            onChange={(correlation) => change({ correlation })}
          />
        </div>
      </div>
    </Card>
  );
}

interface BoxProps {
  label: string;
  value: string;
  help: string;
  type?: string;
  kind?: string;
  optional?: boolean;
  wrong?: string | null;
  onChange: (value: string) => void;
}

function Box({ label, value, help, type, kind = "text", optional, wrong = null, onChange }: BoxProps): ReactNode {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>
        {label}
        {optional && <span className="dim opt">{said.optional}</span>}
        {type && <span className="ty">{type}</span>}
      </label>
      <input
        id={id}
        className={wrong ? "inp bad" : "inp"}
        type={kind}
        autoComplete="off"
        aria-invalid={wrong ? true : undefined}
        aria-describedby={`${id}-help`}
        value={value}
        onChange={({ target }) => onChange(target.value)}
      />
      <span className={wrong ? "fault" : "help"} id={`${id}-help`}>
        {wrong ?? help}
      </span>
    </div>
  );
}
