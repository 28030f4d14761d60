import * as text from "../text";
import { shapes, toneOf, type Shape } from "./shapes";

/** The shape alone, where the word stands beside it. */
export function Mark({ shape }: { shape: Shape }) {
  return (
    <svg className={`ico ${toneOf(shape)}`} viewBox="0 0 12 12" aria-hidden="true">
      {shapes[shape]}
    </svg>
  );
}

/** A state as a pill: shape, word, colour. `quiet`: without the ground. */
export function State({ shape, word, quiet = false }: { shape: Shape; word?: string; quiet?: boolean }) {
  return (
    <span className={`${quiet ? "quiet-state" : "state"} ${toneOf(shape)}`}>
      <Mark shape={shape} />
      {word ?? text.states[shape]}
    </span>
  );
}

export const isShape = (word: string): word is Shape => word in shapes;
