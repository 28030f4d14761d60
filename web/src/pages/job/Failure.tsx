/** Why the job failed, or is tried again. */
import type { ErrorView, JobView, Live } from "@typed-flows/react";
import { Button } from "../../parts/Button";
import { Card } from "../../parts/Card";
import { copy } from "../../parts/copy";
import { useToast } from "../../parts/Toast";
import * as text from "../../text";
import { Named } from "../jobs/Consequences";

const said = text.job.error;

export function Failure({ job, error }: { job: Live<JobView>; error: Live<ErrorView> }) {
  const toast = useToast();
  const whole = error.traceback || `${error.type}: ${error.message}`;
  return (
    <Card
      className="failure"
      title={job.state === "failed" ? said.title : said.again}
      more={
        <Button
          look="small"
          icon="copy"
          onPress={() => void copy(whole).then((ok) => toast(ok ? text.parts.copied : text.parts.notCopied))}
        >
          {said.copy}
        </Button>
      }
    >
      <div className="pad">
        <p className="err head">
          <bdi>{error.type}</bdi>
        </p>
        <p className="message" tabIndex={0}>
          <bdi>{error.message}</bdi>
        </p>
        <p className="dim">
          <Named parts={said.where(error.queue, error.attempt)} />
        </p>
      </div>
      {error.traceback && (
        <pre className="code trace" tabIndex={0} aria-label={said.traceback}>
          <bdi>{error.traceback}</bdi>
        </pre>
      )}
    </Card>
  );
}
