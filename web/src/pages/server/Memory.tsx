import type { MemoryView } from "@typed-flows/react";
import { bytes, compact, count } from "../../format";
import { Bones } from "../../parts/Bones";
import { Card } from "../../parts/Card";
import * as text from "../../text";

/** Whose the memory is, by kind; bars are against the largest. */
export function Memory({ memory }: { memory: MemoryView | null }) {
  const server = text.server;
  const kinds = Object.keys(server.kinds).filter((kind) => memory?.bytes[kind]);
  const most = Math.max(1, ...kinds.map((kind) => memory?.bytes[kind] ?? 0));
  return (
    <Card title={server.memoryOf}>
      {memory === null ? (
        <Bones rows={4} />
      ) : memory.looked === 0 ? (
        <p className="pad sub">{server.noSample}</p>
      ) : (
        <>
          <ul className="bars">
            {kinds.map((kind) => (
              <li key={kind}>
                <span>{server.kinds[kind]}</span>
                <b>{bytes(memory.bytes[kind] ?? 0)}</b>
                <span className={`kindbar ${kind === "others" ? "others" : ""}`} aria-hidden="true">
                  <i style={{ width: `${((memory.bytes[kind] ?? 0) / most) * 100}%` }} />
                </span>
                <span className="dim">{server.keysOf(compact(memory.counts[kind] ?? 0))}</span>
              </li>
            ))}
          </ul>
          <p className="foot">{server.sampleSays(count(memory.looked))}</p>
        </>
      )}
    </Card>
  );
}
