// @vitest-environment happy-dom
import { act, memo, StrictMode } from "react";
import { createRoot, type Root } from "react-dom/client";
import { renderToString } from "react-dom/server";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { FlowsProvider, type Live, useConnection, useTopic } from "../src";
import { connected, fake, FakeSocket, real } from "./sockets";

interface Row {
  name: string;
  waiting: number;
  paused: string | null;
}

let root: Root;
let place: HTMLElement;

beforeEach(() => {
  fake();
  vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);
  place = document.createElement("main");
  root = createRoot(place);
});
afterEach(() => {
  act(() => root.unmount());
  real();
});

const drawn = vi.fn();
const RowOf = memo(({ row }: { row: Live<Row> }) => {
  drawn(row.name);
  return <li>{`${row.name} ${row.waiting} ${row.paused ?? "-"}`}</li>;
});

function Page({ topic }: { topic: string | null }) {
  const { state, connection } = useTopic<{ rows: Row[] }>(topic);
  const { status } = useConnection();
  return (
    <ul data-status={`${status} ${connection}`}>
      {state?.rows.map((row) => (
        <RowOf key={row.name} row={row} />
      ))}
    </ul>
  );
}

const App = ({ topic = "t" }: { topic?: string | null }) => (
  <StrictMode>
    <FlowsProvider url="http://here/live" getToken={() => Promise.resolve("t")}>
      <Page topic={topic} />
    </FlowsProvider>
  </StrictMode>
);

it("draws what changes and no more, over one socket, also in StrictMode", async () => {
  await act(() => root.render(<App />));
  const socket = await act(() => connected());
  expect(FakeSocket.all).toHaveLength(1);
  await act(() => socket.hello());
  const rows = { "#order": ["a", "b"], a: { name: "a", waiting: 1 }, b: { name: "b", waiting: 2, paused: "ana" } };
  await act(() => socket.state("t", 1, { rows }));
  expect(place.textContent).toBe("a 1 -b 2 ana");
  expect(place.firstElementChild?.getAttribute("data-status")).toBe("open open");
  drawn.mockClear();
  await act(() => socket.state("t", 2, { rows: { a: { waiting: 9 } } }, 1));
  expect(place.textContent).toBe("a 9 -b 2 ana");
  expect(new Set(drawn.mock.calls.flat())).toEqual(new Set(["a"]));
  await act(() => root.render(<App />));
  expect(socket.topics()).toEqual(["t"]);
  expect(socket.topics("unwatchTopic")).toEqual([]);
});

it("shows another topic at once when it was watched a moment ago, and nothing for null", async () => {
  await act(() => root.render(<App />));
  const socket = await act(() => connected());
  await act(() => socket.hello());
  await act(() => socket.state("t", 1, { rows: { "#order": ["a"], a: { name: "a", waiting: 1 } } }));
  await act(() => root.render(<App topic="other" />));
  expect(place.textContent).toBe("");
  await act(() => root.render(<App topic={null} />));
  expect(place.textContent).toBe("");
  await act(() => root.render(<App />));
  expect(place.textContent).toBe("a 1 -");
});

it("disconnects when it goes", async () => {
  await act(() => root.render(<App />));
  const socket = await act(() => connected());
  await act(() => socket.hello());
  await act(() => root.render(null));
  expect(socket.closed).toBe(true);
});

it("is drawn on a server, and says what is missing without a provider", () => {
  expect(renderToString(<App />)).toContain("idle idle");
  expect(FakeSocket.all).toEqual([]);
  expect(() => renderToString(<Page topic="t" />)).toThrow("<FlowsProvider");
});

it("takes what operations answer where it takes what is watched", () => {
  const row: Row = { name: "a", waiting: 1, paused: null };
  const live: Live<Row> = row;
  expect(live).toBe(row);
  // @ts-expect-error the server leaves out what is null
  const back: Row = live;
  expect(back).toBe(row);
});
