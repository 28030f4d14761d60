interface Props<T extends string> {
  label: string;
  options: readonly (readonly [value: T, text: string])[];
  value: T;
  onChange: (value: T) => void;
}

/** One of a few, side by side. */
export function Segments<T extends string>({ label, options, value, onChange }: Props<T>) {
  return (
    <span className="seg" role="group" aria-label={label}>
      {options.map(([one, text]) => (
        <button
          key={one}
          type="button"
          className={one === value ? "on" : ""}
          aria-pressed={one === value}
          onClick={() => onChange(one)}
        >
          {text}
        </button>
      ))}
    </span>
  );
}
