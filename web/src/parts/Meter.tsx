/** How much of something is used: 0 to 1. */
export function Meter({ part, label }: { part: number; label: string }) {
  const of = Math.max(0, Math.min(1, part));
  return (
    <div
      className="meter"
      role="meter"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(of * 100)}
    >
      <i style={{ width: `${of * 100}%` }} />
    </div>
  );
}
