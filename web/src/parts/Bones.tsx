import { useEffect, useState } from "react";
import * as text from "../text";

const AFTER = 300;

/** Grey bars where something is loaded, only when it takes longer than a glance. */
export function Bones({ rows = 4 }: { rows?: number }) {
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), AFTER);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div className="bones" role="status" aria-label={text.parts.loading}>
      {late &&
        Array.from({ length: rows }, (_, i) => (
          <span key={i} className={`bone ${i ? "" : "t"}`} style={{ width: `${[40, 92, 78, 86, 64][i % 5]}%` }} />
        ))}
    </div>
  );
}
