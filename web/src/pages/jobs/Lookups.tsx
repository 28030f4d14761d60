import { writeJson } from "../../exact";
import { Fragment, memo } from "react";

/** So many characters of a value are shown in a row. */
const LONGEST = 40;
const WHOLE = 400;

const said = (value: unknown) => (typeof value === "string" ? value : writeJson(value));
const cut = (text: string, most: number) => (text.length > most ? `${text.slice(0, most)}…` : text);

/** What a job can be looked up by, on one line. */
export const Lookups = memo(function Lookups({ of }: { of: Readonly<Record<string, unknown>> }) {
  const pairs = Object.entries(of).filter(([, value]) => value !== null && value !== undefined);
  const whole = pairs.map(([name, value]) => `${name} ${cut(said(value), WHOLE)}`).join(" · ");
  return (
    <span className="lk" title={whole}>
      {pairs.map(([name, value], n) => (
        <Fragment key={name}>
          {n > 0 && " · "}
          <bdi>{name}</bdi>{" "}
          <b>
            <bdi>{cut(said(value), LONGEST)}</bdi>
          </b>
        </Fragment>
      ))}
    </span>
  );
});
