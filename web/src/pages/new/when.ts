/** When a job begins, how it stands among others, and under which key: what is sent with the params. */
import type { JobsCreateParams } from "@typed-flows/react";
import * as text from "../../text";

export interface When {
  priority: number;
  begins: "now" | "in" | "at";
  delay: string;
  runAt: string;
  key: string;
  correlation: string;
}

export const WHEN: When = { priority: 1, begins: "now", delay: "10m", runAt: "", key: "", correlation: "" };

const DELAY = /^\d+(?:\.\d+)?\s*(?:ms|s|m|h|d)?$/;

/** What is wrong with it; null: nothing. */
export function wrongIn(when: When): string | null {
  if (when.begins === "in" && !DELAY.test(when.delay.trim())) return text.newJob.delayWrong;
  if (when.begins === "at" && Number.isNaN(Date.parse(when.runAt))) return text.newJob.runAtWrong;
  return null;
}

type Options = Omit<JobsCreateParams, "flow" | "params">;

export function optionsOf(when: When): Options {
  return {
    ...(when.priority > 1 ? { priority: when.priority } : {}),
    ...(when.begins === "in" ? { delay: when.delay.replace(/\s/g, "") } : {}),
    ...(when.begins === "at" && when.runAt ? { run_at: new Date(when.runAt).toISOString() } : {}),
    ...(when.key ? { idempotency_key: when.key } : {}),
    ...(when.correlation ? { correlation_id: when.correlation } : {}),
  };
}

const UNITS: Readonly<Record<string, string>> = {
  ms: "milliseconds",
  s: "seconds",
  m: "minutes",
  h: "hours",
  d: "days",
};

/** The same as Python writes it. */
export function pythonOf(when: When): Record<string, string> {
  const [, size = "0", unit = "s"] = /^([\d.]+)\s*(ms|s|m|h|d)?$/.exec(when.delay.trim()) ?? [];
  return {
    ...(when.begins === "in" ? { delay: `timedelta(${UNITS[unit]}=${size})` } : {}),
    ...(when.begins === "at" && when.runAt
      ? { run_at: `datetime.fromisoformat("${new Date(when.runAt).toISOString()}")` }
      : {}),
    ...(when.priority > 1 ? { priority: String(when.priority) } : {}),
    ...(when.key ? { idempotency_key: JSON.stringify(when.key) } : {}),
    ...(when.correlation ? { correlation_id: JSON.stringify(when.correlation) } : {}),
  };
}
