// @vitest-environment happy-dom
import { act, type ReactNode, StrictMode } from "react";
import { createRoot, type Root } from "react-dom/client";
import { renderToString } from "react-dom/server";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import {
  FlowsProvider,
  Jobify,
  Progress,
  TaskPanel,
  type TaskResults,
  useExecute,
  useSmoothProgress,
  useTask,
  useTaskResult,
  useWorkflow,
  WorkflowTree,
} from "../src";
import { connected, fake, FakeSocket, real } from "./sockets";

let root: Root;
let place: HTMLElement;

beforeEach(() => {
  fake();
  vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);
  place = document.body.appendChild(document.createElement("main"));
  root = createRoot(place);
});
afterEach(() => {
  act(() => root.unmount());
  place.remove();
  real();
});

const leaf = (path: string) => ({ name: path.slice(path.lastIndexOf(".") + 1), path, weight: 1, tasks: [] });
const TASKS = [leaf("#.a"), { name: "g", path: "#.g", weight: 0, tasks: [leaf("#.g.b")] }];
const working = { status: "working", execution: "x1" } as const;

/** Draws in StrictMode, and returns the socket once the server has said hello. */
async function draw(page: ReactNode): Promise<FakeSocket> {
  const App = () => (
    <StrictMode>
      <FlowsProvider url="http://here/live">{page}</FlowsProvider>
    </StrictMode>
  );
  await act(() => root.render(<App />));
  const socket = await act(() => connected());
  await act(() => socket.hello());
  return socket;
}

const press = (selector: string) => act(() => place.querySelector<HTMLElement>(selector)!.click());
const key = (name: string) =>
  act(() => document.activeElement!.dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true })));
const refs = (socket: FakeSocket) => socket.sent.flatMap((one) => ("ref" in one ? [one] : []));

it("shows the progress of a job in place of a component, then the component, and tells the end once", async () => {
  const done = vi.fn();
  const page = (id: string | null) => <Jobify jobId={id} onComplete={done} component={() => <b>the site</b>} />;
  const socket = await draw(page("w"));
  expect(FakeSocket.all).toHaveLength(1);
  expect(place.querySelector("[role=progressbar]")?.getAttribute("aria-valuenow")).toBe("0");
  await act(() => socket.tasks("w", 1, {}, { tasks: TASKS, whole: working, progress: 0.429 }));
  expect(place.querySelector("[role=progressbar]")?.getAttribute("aria-valuenow")).toBe("42");
  await act(() => socket.tasks("w", 2, {}, { from: 1, whole: { status: "done", execution: "x1" }, progress: 1 }));
  expect(place.innerHTML).toBe("<b>the site</b>");
  expect(done).toHaveBeenCalledTimes(1);
});

it("shows the component without a job, and with one why it failed, with what tries it again", async () => {
  await draw(<Jobify jobId={null} component={() => <b>the site</b>} />).catch(() => {});
  expect(place.innerHTML).toBe("<b>the site</b>");
  const failed = vi.fn();
  const socket = await draw(
    <Jobify
      jobId="w"
      component={() => null}
      onError={failed}
      failed={(error, { retry }) => <button onClick={retry}>{error.message}</button>}
    />,
  );
  await act(() => socket.tasks("w", 1, {}, { whole: working }));
  const error = { type: "RateLimited", message: "too many" };
  await act(() => socket.tasks("w", 2, {}, { from: 1, whole: { status: "failed", execution: "x1", error } }));
  expect(place.textContent).toBe("too many");
  expect(failed.mock.calls.map(([error]) => error)).toEqual([error]);
  await press("button");
  expect(refs(socket)).toMatchObject([{ type: "executeAllTasks", workflowId: "w" }]);
});

it("draws a task again when it has changed, and not for others", async () => {
  const drawn = vi.fn();
  const One = ({ path }: { path: string }) => {
    drawn(path);
    return <i>{`${path} ${useTask("w", path).status} `}</i>;
  };
  const socket = await draw([<One key="a" path="#.a" />, <One key="b" path="#.g.b" />]);
  await act(() => socket.tasks("w", 1, { "#.a": { status: "ok" } }));
  expect(place.textContent).toBe("#.a ok #.g.b inactive ");
  drawn.mockClear();
  await act(() => socket.tasks("w", 2, { "#.g.b": { status: "running" } }, { from: 1 }));
  expect(place.textContent).toBe("#.a ok #.g.b running ");
  expect(new Set(drawn.mock.calls.flat())).toEqual(new Set(["#.g.b"]));
});

it("is a tree for keys and screen readers", async () => {
  const selected = vi.fn();
  const Page = () => <WorkflowTree state={useWorkflow("w")} onSelect={selected} />;
  const socket = await draw(<Page />);
  await act(() => socket.tasks("w", 1, { "#.a": { status: "ok", stale: true } }, { tasks: TASKS }));
  const items = () => [...place.querySelectorAll("[role=treeitem]")];
  expect(items().map((item) => [item.getAttribute("aria-level"), item.textContent])).toEqual([
    ...[
      ["1", "aok, stale100 %"],
      ["1", "▾ginactive0 %"],
      ["2", "binactive0 %"],
    ],
  ]);
  act(() => (items()[0] as HTMLElement).focus());
  await key("ArrowDown");
  await key("ArrowLeft");
  expect(items()).toHaveLength(2);
  expect(items()[1]?.getAttribute("aria-expanded")).toBe("false");
  await key("ArrowRight");
  await key("End");
  await key("Enter");
  expect(selected.mock.calls).toEqual([["#.g.b"]]);
  expect(items().map((item) => item.getAttribute("tabindex"))).toEqual(["-1", "-1", "0"]);
  await press(".flows-toggle");
  expect(items()).toHaveLength(2);
});

it("asks for a result when there is one, keeps it while the task runs again, then has the new one", async () => {
  const Page = () => <b>{JSON.stringify(useTaskResult<number>("w", "#.a")) ?? "none"}</b>;
  const socket = await draw(<Page />);
  await act(() => socket.tasks("w", 1, { "#.a": { status: "running" } }));
  expect([place.textContent, refs(socket).length]).toEqual(["none", 0]);
  await act(() => socket.tasks("w", 2, { "#.a": { status: "ok", ended: 2, bytes: 1 } }, { from: 1 }));
  const asked = refs(socket);
  expect(asked).toMatchObject([{ type: "getResult", workflowId: "w", taskPath: "#.a" }]);
  await act(() => socket.say({ type: "result", ref: asked[0]!.ref, result: 1 }));
  expect(place.textContent).toBe("1");
  await act(() => socket.tasks("w", 3, { "#.a": { status: "running", bytes: 1 } }, { from: 2 }));
  expect([place.textContent, refs(socket).length]).toEqual(["1", 1]);
  await act(() => socket.tasks("w", 4, { "#.a": { status: "ok", ended: 4, bytes: 1 } }, { from: 3 }));
  await act(() => socket.say({ type: "result", ref: refs(socket)[1]!.ref, result: 2 }));
  expect(place.textContent).toBe("2");
});

it("tells why a command was refused, and that it is under way", async () => {
  const Page = () => {
    useTask("w", "#.a");
    const { all, pending, error } = useExecute("w");
    return <button onClick={() => void all()}>{pending ? "…" : (error?.message ?? "run")}</button>;
  };
  const socket = await draw(<Page />);
  await press("button");
  expect(place.textContent).toBe("…");
  const { ref } = refs(socket)[0]!;
  await act(() => socket.say({ type: "appError", ref, error: { code: "forbidden", message: "not yours" } }));
  expect(place.textContent).toBe("not yours");
});

it("shows one task with its log and result, and runs it", async () => {
  const socket = await draw(<TaskPanel id="w" path="#.a" />);
  const error = { type: "Boom", message: "it broke" };
  const state = { status: "failed", started: 1, ended: 2, attempt: 2, error, because: "" } as const;
  await act(() => socket.tasks("w", 1, { "#.a": state }, { whole: { status: "failed" } }));
  expect(socket.sent.at(-1)).toMatchObject({ logs: { "#.a": 0 } });
  await act(() => socket.say({ type: "taskLog", id: "w", path: "#.a", lines: [[4, 1, "a line"]] }));
  for (const part of ["failed", "Boom", "it broke", "attempt2", "a line"]) expect(place.textContent).toContain(part);
  await press("p > button");
  expect(refs(socket)).toMatchObject([{ type: "executeTask", taskPath: "#.a", missing: "error" }]);
});

it("moves between reports, never back, and stands still for who wants less motion", async () => {
  const Page = () => {
    const state = useWorkflow("w");
    return <Progress state={{ progress: useSmoothProgress(state, { expected: { "#.a": 1000 } }) }} />;
  };
  const now = () => Number(place.querySelector("[role=progressbar]")!.getAttribute("aria-valuenow"));
  for (const reduced of [false, true]) {
    vi.stubGlobal("matchMedia", () => ({ matches: reduced, addEventListener() {}, removeEventListener() {} }));
    await act(() => root.render(null));
    const socket = await draw(<Page />);
    await act(() => socket.tasks("w", 1, { "#.a": { status: "running" } }, { tasks: TASKS, whole: working }));
    const values = [];
    for (let n = 0; n < 4; n++) {
      values.push(now());
      await act(() => vi.advanceTimersByTimeAsync(300));
    }
    expect(values).toEqual(reduced ? [0, 0, 0, 0] : [0, 15, 30, expect.toSatisfy((n: number) => n > 38 && n < 50)]);
    await act(() => socket.tasks("w", 2, { "#.a": { status: "ok" } }, { from: 1, progress: 0.5 }));
    expect(now()).toBe(50);
    // Executed again: it begins while all is as it was, then the tasks are queued.
    await act(() =>
      socket.tasks("w", 3, {}, { from: 2, progress: 0.5, whole: { status: "working", execution: "x2" } }),
    );
    await act(() => socket.tasks("w", 4, { "#.a": { status: "queued" } }, { from: 3, progress: 0 }));
    expect(now()).toBe(0);
  }
});

it("is drawn on a server", () => {
  const page = (
    <FlowsProvider url="/live">
      <Jobify jobId="w" component={() => null} />
      <TaskPanel id="w" path="#.a" />
    </FlowsProvider>
  );
  expect(renderToString(page)).toContain("progressbar");
});

declare module "../src" {
  interface TaskResults {
    "#.fetch": string[];
  }
}

it("knows the types of results that were written down", () => {
  const Page = () => {
    const pages: string[] | undefined = useTaskResult("w", "#.fetch");
    // @ts-expect-error it is a list
    const wrong: number | undefined = useTaskResult("w", "#.fetch");
    return <b>{`${pages} ${wrong}`}</b>;
  };
  expect({} as TaskResults).toBeDefined();
  expect(renderToString(<FlowsProvider url="/live">{<Page />}</FlowsProvider>)).toContain("undefined");
});
