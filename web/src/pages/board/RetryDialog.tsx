import type { BulkPreview } from "@typed-flows/react";
import { useEffect, useState } from "react";
import { ask } from "../../ask";
import { shortId } from "../../format";
import { Bones } from "../../parts/Bones";
import { Button, LinkButton } from "../../parts/Button";
import { Dialog } from "../../parts/Dialog";
import { Mark } from "../../parts/State";
import { useToast } from "../../parts/Toast";
import { jobsAt } from "../../route";
import * as text from "../../text";
import { toldOf, useActing } from "../../parts/useActing";

const t = text.board;
/** For so many seconds nothing is done yet. */
const UNDO = 5;

/** Shows how many jobs would be retried, retries them, and lets it be undone for some seconds. */
export function RetryDialog({ flow, queue, onClose }: { flow: string; queue: string; onClose: () => void }) {
  const query = `flow:${flow} queue:${queue} state:failed`;
  const [preview, setPreview] = useState<BulkPreview | null>(null);
  const [error, setError] = useState("");
  const { busy, run } = useActing();
  const toast = useToast();
  useEffect(() => {
    const gone = new AbortController();
    ask("bulk.preview", { verb: "retry", query }, gone.signal).then(setPreview, (reason: unknown) => {
      if (!gone.signal.aborted) setError(toldOf(reason));
    });
    return () => gone.abort();
  }, [query]);
  const retry = async (count: number) => {
    const begun = await run("bulk.apply", { verb: "retry", query, seen: count, undo: UNDO });
    if (!begun) return;
    onClose();
    toast(t.retrying(begun.count, queue), {
      lasts: UNDO * 1000,
      undo: () => void run("bulk.cancel", { id: begun.id }, t.undone),
    });
  };
  return (
    <Dialog
      title={t.retryTitle(queue)}
      onClose={onClose}
      acts={
        <>
          <LinkButton to={jobsAt(query)}>{t.seeFailed}</LinkButton>
          <Button onPress={onClose}>{t.cancel}</Button>
          <Button
            look="pri"
            icon="retry"
            busy={busy}
            off={error || (preview ? (preview.count ? null : t.noFailed) : t.retryCounting)}
            onPress={() => void retry(preview?.count ?? 0)}
          >
            {t.retryAct(preview?.count ?? 0)}
          </Button>
        </>
      }
    >
      {error && <p className="failed">{error}</p>}
      {!error && !preview && <Bones rows={2} />}
      {preview && (
        <>
          <p>{t.retryWhat(preview.count, preview.exact)}</p>
          {preview.sample.slice(0, 5).map((job) => (
            <div key={job.id} className="gap">
              <Mark shape="failed" /> <span className="mono">{shortId(job.id)}</span>
              <bdi className="cut">{job.error_type}</bdi>
            </div>
          ))}
        </>
      )}
    </Dialog>
  );
}
