import * as text from "../text";
import { Sentence } from "./Sentence";

/** In place of all, while the server has never answered. */
export function Away() {
  return (
    <main>
      <Sentence look="bad" icon="plug" head={text.parts.away}>
        {text.parts.awayMore}
      </Sentence>
    </main>
  );
}
