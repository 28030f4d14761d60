/** What a value is written in, by the kind of its field. */
import { useState } from "react";
import { integerOf, readJson, writeJson } from "../../exact";
import { Icon } from "../../parts/Icon";
import * as text from "../../text";
import { keyOf } from "./places";
import type { Field, Json, Place } from "./schema";
import type { Form } from "./useForm";

const said = text.newJob;

interface Props {
  id: string;
  field: Field;
  place: Place;
  form: Form;
  /** What it is called where it has no label of its own. */
  label?: string;
}

const shown = (value: Json | undefined): string =>
  value === undefined || value === null ? "" : typeof value === "string" ? value : writeJson(value);

/** What an empty input stands for. */
function emptyOf(field: Field): Json | undefined {
  if (field.nullable) return null;
  return field.required ? "" : undefined;
}

export function Input(props: Props) {
  const { id, field, place, form, label } = props;
  const value = form.at(place);
  const fault = form.faultAt(place);
  const common = {
    id,
    "data-place": keyOf(place),
    "aria-label": label,
    "aria-invalid": fault ? true : undefined,
    "aria-describedby": fault ? `${id}-fault` : field.help ? `${id}-help` : undefined,
    "aria-required": field.required && !field.nullable ? true : undefined,
    onBlur: () => form.touch(place),
  } as const;
  const look = `inp ${fault ? "bad" : ""}`;
  const placeholder = placeholderOf(field) || (label === undefined ? "" : field.name);
  switch (field.kind) {
    case "choice":
      return <Choice {...props} common={common} look={look} />;
    case "boolean":
      return (
        <select
          {...common}
          className={look}
          value={value === undefined || value === null ? "" : String(value)}
          onChange={({ target }) =>
            form.set(place, target.value === "" ? emptyOf({ ...field, required: false }) : target.value === "true")
          }
        >
          {(field.nullable || !field.required) && <option value="">{field.nullable ? said.none : said.left}</option>}
          <option value="true">{said.yes}</option>
          <option value="false">{said.no}</option>
        </select>
      );
    case "integer":
    case "number":
      return <Digits {...props} common={common} look={look} placeholder={placeholder} />;
    case "long":
      return (
        <textarea
          {...common}
          className={look}
          rows={3}
          placeholder={placeholder}
          value={shown(value)}
          onChange={({ target }) => form.set(place, target.value || emptyOf(field))}
        />
      );
    case "list":
      return <Tags {...props} common={common} look={look} />;
    case "text":
      return (
        <input
          {...common}
          className={`${look} ${field.format === "decimal" ? "digits" : ""}`}
          type={field.format === "date" ? "date" : "text"}
          autoComplete="off"
          spellCheck={false}
          placeholder={placeholder}
          value={shown(value)}
          onChange={({ target }) => form.set(place, target.value || emptyOf(field))}
        />
      );
    default:
      return <Raw {...props} common={common} look={look} />;
  }
}

interface Inner extends Props {
  common: object;
  look: string;
}

function placeholderOf(field: Field): string {
  if (field.nullable) return said.none;
  return field.fallback === undefined || field.required ? "" : shown(field.fallback);
}

/** A number, or what was written instead of one: that is told, and not thrown away. */
function numberOf(written: string, field: Field): Json | undefined {
  const plain = written.trim();
  if (plain === "") return field.nullable ? null : field.required ? "" : undefined;
  if (/^[-+]?\d+$/.test(plain)) return integerOf(plain);
  const number = Number(plain);
  const isKept = field.kind === "number" || Number.isSafeInteger(number);
  return Number.isFinite(number) && /^[-+\d.eE]+$/.test(plain) && !/[.eE+-]$/.test(plain) && isKept ? number : plain;
}

function Choice({ field, place, form, common, look }: Inner) {
  const value = form.at(place);
  const at = field.choices.findIndex((one) => one === value);
  return (
    <select
      {...common}
      className={look}
      value={at < 0 ? "" : String(at)}
      onChange={({ target }) =>
        form.set(
          place,
          target.value === "" ? emptyOf({ ...field, required: false }) : field.choices[Number(target.value)],
        )
      }
    >
      {(at < 0 || field.nullable || !field.required) && (
        <option value="">{field.nullable ? said.none : said.left}</option>
      )}
      {field.choices.map((one, n) => (
        <option key={n} value={n}>
          {shown(one)}
        </option>
      ))}
    </select>
  );
}

/** A number as it is written: "1.0" on the way to "1.05" is not yet 1. */
function Digits({ field, place, form, common, look, placeholder }: Inner & { placeholder: string }) {
  const [writing, setWriting] = useState("");
  const value = form.at(place);
  return (
    <input
      {...common}
      className={`${look} digits`}
      inputMode={field.kind === "integer" ? "numeric" : "decimal"}
      autoComplete="off"
      placeholder={placeholder}
      value={numberOf(writing, field) === value ? writing : shown(value)}
      onChange={({ target }) => {
        setWriting(target.value);
        form.set(place, numberOf(target.value, field));
      }}
    />
  );
}

/** A list of texts: Enter or a comma ends one, Backspace takes the last one back. */
function Tags({ place, form, common, look }: Inner) {
  const [writing, setWriting] = useState("");
  const value = form.at(place);
  const tags = Array.isArray(value) ? value : [];
  const add = () => {
    const more = writing
      .split(",")
      .map((one) => one.trim())
      .filter(Boolean);
    if (more.length) form.set(place, [...tags, ...more]);
    setWriting("");
  };
  return (
    <span className={`${look} tags`}>
      {tags.map((one, n) => (
        <span className="chip" key={n}>
          <bdi>{shown(one)}</bdi>
          <button
            type="button"
            aria-label={said.remove(shown(one), n + 1)}
            onClick={() =>
              form.set(
                place,
                tags.filter((_, at) => at !== n),
              )
            }
          >
            <Icon name="x" size={11} />
          </button>
        </span>
      ))}
      <input
        {...common}
        placeholder={said.addTag}
        autoComplete="off"
        value={writing}
        onChange={({ target }) => setWriting(target.value)}
        onBlur={() => {
          add();
          form.touch(place);
        }}
        onKeyDown={(event) => {
          if (event.key === "Enter" || event.key === ",") {
            event.preventDefault();
            add();
          } else if (event.key === "Backspace" && writing === "" && tags.length) form.set(place, tags.slice(0, -1));
        }}
      />
    </span>
  );
}

/** A value of several kinds, written as JSON; what is no JSON yet is kept as it is written. */
function Raw({ field, place, form, common, look }: Inner) {
  const value = form.at(place);
  const [writing, setWriting] = useState<string | null>(null);
  const plain = value === undefined ? "" : writeJson(value, 2);
  return (
    <textarea
      {...common}
      className={look}
      rows={Math.min(8, Math.max(2, plain.split("\n").length))}
      spellCheck={false}
      placeholder={field.fallback === undefined ? said.asJson : writeJson(field.fallback)}
      value={writing ?? plain}
      onChange={({ target }) => {
        setWriting(target.value);
        form.set(place, parsed(target.value, field));
      }}
      onBlur={() => {
        setWriting(null);
        form.touch(place);
      }}
    />
  );
}

function parsed(written: string, field: Field): Json | undefined {
  if (written.trim() === "") return field.required ? null : undefined;
  try {
    return readJson(written) as Json;
  } catch {
    return written;
  }
}
