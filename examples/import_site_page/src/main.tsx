/** A page that watches the import of a site, and runs it: what a page of your own would do, with nothing else in it. */
import {
  FlowsProvider,
  Jobify,
  Progress,
  TaskPanel,
  useConnection,
  useExecute,
  useSmoothProgress,
  useTaskResult,
  useWorkflow,
  WorkflowTree,
} from "@typed-flows/react";
import { StrictMode, useState } from "react";
import { createRoot } from "react-dom/client";
import "@typed-flows/react/theme.css";
import "./page.css";

/** How long its longer tasks take, about, in ms. */
const EXPECTED = { "#.fetch": 2000, "#.pages.index": 2000, "#.publish": 2000 };

function Import({ id }: { id: string }) {
  const [path, setPath] = useState<string | null>(null);
  const state = useWorkflow(id);
  const progress = useSmoothProgress(state, { expected: EXPECTED });
  const { all, cancel, pending, error } = useExecute(id);
  const { status: connection } = useConnection();
  const works = state.status === "working";
  return (
    <main>
      <h1>Import of a site</h1>
      <p>
        <output className={`state ${state.status}`}>{state.status}</output>{" "}
        <output className={`connection ${connection}`}>{connection}</output>
      </p>
      <Jobify
        jobId={id}
        progression={(now) => (
          <>
            <Progress state={{ progress, status: now.status }} label="import" />
            <p className="percent">{`${Math.floor(100 * now.progress)} %`}</p>
          </>
        )}
        component={() => <Site id={id} />}
        failed={({ message }, { retry }) => (
          <p role="alert">
            {message} <button onClick={retry}>Try again</button>
          </p>
        )}
      />
      <p>
        <button disabled={pending || works || state.status === "unknown"} onClick={() => void all()}>
          Import
        </button>{" "}
        <button disabled={pending || !works} onClick={() => void cancel()}>
          Cancel
        </button>
      </p>
      {error && <p role="alert">{error.message}</p>}
      <div className="parts">
        <WorkflowTree state={state} selected={path} onSelect={setPath} />
        {path && <TaskPanel key={path} id={id} path={path} missing="run" onClose={() => setPath(null)} />}
      </div>
    </main>
  );
}

/** What the import has come to. */
function Site({ id }: { id: string }) {
  const site = useTaskResult(id, "#.publish");
  return (
    <section className="site">
      {site ? `${site.host} is online: ${site.words} words, ${site.thumbnails} thumbnails` : "It is online."}
    </section>
  );
}

const { workflowId } = (await (await fetch("instance")).json()) as { workflowId: string };
createRoot(document.getElementById("app")!).render(
  <StrictMode>
    <FlowsProvider url="live" getToken={token}>
      <Import id={workflowId} />
    </FlowsProvider>
  </StrictMode>,
);

/** A fresh one for each connection; null where the server says that nobody is logged in. */
async function token(): Promise<string | null> {
  const answer = await fetch("token");
  if (answer.status === 401) return null;
  if (!answer.ok) throw new Error(`no token: ${answer.status}`);
  return answer.text();
}
