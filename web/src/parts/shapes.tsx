/** Shapes of states, on a ground of 12: a state is told by shape, word and colour, in this order. */
import type { ReactElement } from "react";

export const shapes = {
  waiting: (
    <>
      <circle cx="6" cy="6" r="4.2" fill="none" stroke="currentColor" strokeWidth="1.8" />
    </>
  ),
  delayed: (
    <>
      <circle cx="6" cy="6" r="4.6" fill="none" stroke="currentColor" strokeWidth="1.5" />
      <path d="M6 3.4V6l1.9 1.2" fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinecap="round" />
    </>
  ),
  processing: (
    <>
      <circle cx="6" cy="6" r="4.4" fill="none" stroke="currentColor" strokeWidth="1.8" opacity=".3" />
      <path
        d="M6 1.6a4.4 4.4 0 0 1 4.4 4.4"
        fill="none"
        stroke="currentColor"
        strokeWidth="1.8"
        strokeLinecap="round"
      />
    </>
  ),
  children: (
    <>
      <path
        d="M6 2.6v3M6 5.6H2.4v3M6 5.6h3.6v3"
        fill="none"
        stroke="currentColor"
        strokeWidth="1.4"
        strokeLinejoin="round"
      />
      <circle cx="6" cy="2.2" r="1.7" fill="currentColor" />
      <circle cx="2.4" cy="9.6" r="1.7" fill="currentColor" />
      <circle cx="9.6" cy="9.6" r="1.7" fill="currentColor" />
    </>
  ),
  done: (
    <>
      <path
        d="M2.2 6.4l2.6 2.6 5-5.6"
        fill="none"
        stroke="currentColor"
        strokeWidth="2"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </>
  ),
  failed: (
    <>
      <path d="M3 3l6 6M9 3l-6 6" fill="none" stroke="currentColor" strokeWidth="2" strokeLinecap="round" />
    </>
  ),
  cancelled: (
    <>
      <circle cx="6" cy="6" r="4.4" fill="none" stroke="currentColor" strokeWidth="1.6" />
      <path d="M3 9l6-6" stroke="currentColor" strokeWidth="1.6" />
    </>
  ),
  sleeping: (
    <>
      <g fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinecap="round" strokeLinejoin="round">
        <path d="M9.9 7.4A4.5 4.5 0 1 1 4.6 2.1a3.6 3.6 0 0 0 5.3 5.3z" />
      </g>
    </>
  ),
  event: (
    <>
      <g fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinecap="round" strokeLinejoin="round">
        <path d="M6 1.2L10.8 6 6 10.8 1.2 6z" />
      </g>
      <circle cx="6" cy="6" r="1.4" fill="currentColor" />
    </>
  ),
  undone: (
    <>
      <g fill="none" stroke="currentColor" strokeWidth="1.6" strokeLinecap="round" strokeLinejoin="round">
        <path d="M2 4.4h5.2a2.9 2.9 0 0 1 0 5.8H4.4M4.4 2L2 4.4l2.4 2.4" />
      </g>
    </>
  ),
  memoised: (
    <>
      <g fill="none" stroke="currentColor" strokeWidth="1.7" strokeLinecap="round" strokeLinejoin="round">
        <path d="M2.4 4.6l2.3 2.3 4.9-5" />
        <path d="M2 10.3h8" />
      </g>
    </>
  ),
  paused: (
    <>
      <g fill="none" stroke="currentColor" strokeWidth="2.2" strokeLinecap="round" strokeLinejoin="round">
        <path d="M4 2.6v6.8M8 2.6v6.8" />
      </g>
    </>
  ),
  missed: (
    <>
      <g fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinecap="round" strokeLinejoin="round">
        <rect x="1.8" y="1.8" width="8.4" height="8.4" rx="1" strokeDasharray="2.2 1.8" />
      </g>
    </>
  ),
  skipped: (
    <>
      <g fill="none" stroke="currentColor" strokeWidth="1.7" strokeLinecap="round" strokeLinejoin="round">
        <path d="M2.4 3l3 3-3 3M6.4 3l3 3-3 3" />
      </g>
    </>
  ),
  inactive: (
    <>
      <g fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinecap="round" strokeLinejoin="round">
        <circle cx="6" cy="6" r="4.4" strokeDasharray="1.6 2" />
      </g>
    </>
  ),
  stale: (
    <>
      <g fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinecap="round" strokeLinejoin="round">
        <circle cx="6" cy="6" r="4.4" />
      </g>
      <path d="M6 1.6a4.4 4.4 0 0 1 0 8.8z" fill="currentColor" />
    </>
  ),
  beating: (
    <>
      <circle cx="6" cy="6" r="2.5" fill="currentColor" />
      <g fill="none" stroke="currentColor" strokeWidth="1.2" strokeLinecap="round" strokeLinejoin="round">
        <circle cx="6" cy="6" r="4.9" opacity=".45" />
      </g>
    </>
  ),
  blocked: (
    <>
      <g fill="none" stroke="currentColor" strokeWidth="1.6" strokeLinecap="round" strokeLinejoin="round">
        <path d="M4 1.3h4L10.7 4v4L8 10.7H4L1.3 8V4z" />
        <path d="M3.8 6h4.4" />
      </g>
    </>
  ),
  leaving: (
    <>
      <g fill="none" stroke="currentColor" strokeWidth="1.6" strokeLinecap="round" strokeLinejoin="round">
        <path d="M1.6 6h6.2M5.2 3.2L8 6 5.2 8.8M10.6 1.8v8.4" />
      </g>
    </>
  ),
  silent: (
    <>
      <g fill="none" stroke="currentColor" strokeWidth="1.6" strokeLinecap="round" strokeLinejoin="round">
        <circle cx="6" cy="6" r="4.6" strokeDasharray="2.4 2" />
        <path d="M6 3.8v2.6M6 8.3v.1" />
      </g>
    </>
  ),
  parked: (
    <>
      <g fill="none" stroke="currentColor" strokeWidth="1.4" strokeLinecap="round" strokeLinejoin="round">
        <circle cx="6" cy="6" r="4.7" />
        <path d="M4.7 4.2v3.6M7.3 4.2v3.6" />
      </g>
    </>
  ),
  full: (
    <>
      <circle cx="6" cy="6" r="4.8" fill="currentColor" />
    </>
  ),
  held: (
    <>
      <g fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinecap="round" strokeLinejoin="round">
        <rect x="2.4" y="5.2" width="7.2" height="5.2" rx="1" />
        <path d="M4 5V3.8a2 2 0 0 1 4 0V5" />
      </g>
    </>
  ),
  ok: (
    <>
      <path
        d="M2.2 6.4l2.6 2.6 5-5.6"
        fill="none"
        stroke="currentColor"
        strokeWidth="2"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </>
  ),
  running: (
    <>
      <circle cx="6" cy="6" r="4.4" fill="none" stroke="currentColor" strokeWidth="1.8" opacity=".3" />
      <path
        d="M6 1.6a4.4 4.4 0 0 1 4.4 4.4"
        fill="none"
        stroke="currentColor"
        strokeWidth="1.8"
        strokeLinecap="round"
      />
    </>
  ),
  queued: (
    <>
      <circle cx="6" cy="6" r="4.2" fill="none" stroke="currentColor" strokeWidth="1.8" />
    </>
  ),
  active: (
    <>
      <path
        d="M2.2 6.4l2.6 2.6 5-5.6"
        fill="none"
        stroke="currentColor"
        strokeWidth="2"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </>
  ),
} satisfies Record<string, ReactElement>;

export type Shape = keyof typeof shapes;

export type Tone = "waiting" | "delayed" | "processing" | "children" | "done" | "failed" | "cancelled" | "warn";

/** The colour of a shape that has none of its own. */
const tones: Partial<Record<Shape, Tone>> = {
  sleeping: "delayed",
  event: "delayed",
  undone: "warn",
  memoised: "done",
  paused: "cancelled",
  missed: "warn",
  skipped: "cancelled",
  inactive: "cancelled",
  stale: "warn",
  beating: "done",
  blocked: "failed",
  leaving: "cancelled",
  silent: "warn",
  parked: "warn",
  held: "warn",
  full: "warn",
  ok: "done",
  running: "processing",
  queued: "waiting",
  active: "done",
};

export const toneOf = (shape: Shape): Tone => tones[shape] ?? (shape as Tone);
