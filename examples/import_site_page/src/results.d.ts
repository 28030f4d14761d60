// What the tasks return, as `flows trees types` writes it of an app that stands in a module.
import "@typed-flows/react";

declare module "@typed-flows/react" {
  interface TaskResults {
    "#.publish": { host: string; words: number; thumbnails: number };
  }
}
