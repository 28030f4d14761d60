import { capsOf } from "../keys/table";
import * as text from "../text";

const palette = text.palette;
const MOVES: readonly (readonly [string, readonly string[]])[] = [
  [palette.choose, ["↑", "↓"]],
  [palette.do, capsOf("Enter")],
  [palette.newTab, [capsOf("Mod+k")[0]!, ...capsOf("Enter")]],
];
const SIGNS: readonly (readonly [string, string])[] = [
  [">", palette.onlyActions],
  [":", palette.onlyValues],
  ["#", palette.onlyPlaces],
];

/** How the palette is used. */
export function PaletteFoot() {
  return (
    <div className="foot hide-s">
      {MOVES.map(([says, caps]) => (
        <span key={says} className="caps">
          {caps.map((cap) => (
            <kbd key={cap}>{cap}</kbd>
          ))}
          {says}
        </span>
      ))}
      <span className="signs">
        {SIGNS.map(([sign, says]) => (
          <span key={sign} className="caps">
            <kbd>{sign}</kbd>
            {says}
          </span>
        ))}
      </span>
    </div>
  );
}
