import { useId, useState } from "react";
import { Problem } from "../../ask";
import { Button } from "../../parts/Button";
import { Dialog } from "../../parts/Dialog";
import * as text from "../../text";
import type { Params } from "./useForm";
import { paramsOf } from "./useLike";

const said = text.newJob;

interface Props {
  flow: string;
  onFill: (params: Params) => void;
  onClose: () => void;
}

/** Takes what another job was created with. */
export function FillDialog({ flow, onFill, onClose }: Props) {
  const id = useId();
  const [job, setJob] = useState("");
  const [wrong, setWrong] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const fill = async () => {
    setBusy(true);
    try {
      onFill(await paramsOf(flow, job.trim()));
      onClose();
    } catch (error) {
      setWrong(error instanceof Problem ? error.detail : String(error));
      setBusy(false);
    }
  };
  return (
    <Dialog
      title={said.fillTitle}
      onClose={onClose}
      acts={
        <Button look="pri" busy={busy} off={job.trim() ? null : said.fillId} onPress={() => void fill()}>
          {said.fillGo}
        </Button>
      }
    >
      <div className="field">
        <label htmlFor={id}>{said.fillId}</label>
        <input
          id={id}
          className={wrong ? "inp bad" : "inp"}
          autoComplete="off"
          spellCheck={false}
          value={job}
          onChange={({ target }) => setJob(target.value)}
          onKeyDown={(event) => {
            if (event.key === "Enter" && job.trim()) void fill();
          }}
        />
        {wrong && <span className="fault">{wrong}</span>}
      </div>
    </Dialog>
  );
}
