import { Fragment } from "react";
import * as text from "../text";
import { capsOf } from "./table";

/** A key, or two that are pressed one after the other, as they are drawn. */
export function Caps({ keys }: { keys: string }) {
  const steps = keys.split(" ");
  return (
    <span className="caps">
      {steps.map((step, n) => (
        <Fragment key={step}>
          {n > 0 && <small className="dim">{text.keys.then}</small>}
          {capsOf(step).map((cap) => (
            <kbd key={cap}>{cap}</kbd>
          ))}
        </Fragment>
      ))}
    </span>
  );
}
