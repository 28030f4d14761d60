/** Line drawings on a ground of 16. */
import type { ReactElement } from "react";

export const drawings = {
  board: (
    <>
      <rect x="1.5" y="2.5" width="3.6" height="11" rx="1" />
      <rect x="6.2" y="2.5" width="3.6" height="7.5" rx="1" />
      <rect x="10.9" y="2.5" width="3.6" height="9" rx="1" />
    </>
  ),
  jobs: (
    <>
      <path d="M5.5 3.5h9M5.5 8h9M5.5 12.5h9" />
      <path d="M1.8 3.5h.4M1.8 8h.4M1.8 12.5h.4" strokeWidth="2" />
    </>
  ),
  runs: (
    <>
      <path d="M2 3.5h6M5 8h7M9 12.5h5" strokeWidth="2.4" />
    </>
  ),
  schedules: (
    <>
      <circle cx="8" cy="8.5" r="5.5" />
      <path d="M8 5.5v3l2 1.3M6 1.5h4" />
    </>
  ),
  workers: (
    <>
      <rect x="2" y="2.5" width="12" height="4.6" rx="1" />
      <rect x="2" y="9" width="12" height="4.6" rx="1" />
      <path d="M4.5 4.8h.1M4.5 11.3h.1" strokeWidth="2" />
    </>
  ),
  limits: (
    <>
      <path d="M2.5 11.5a5.8 5.8 0 1 1 11 0" />
      <path d="M8 10.5l3-4" />
    </>
  ),
  audit: (
    <>
      <path d="M3 1.8h7l3 3v9.4H3z" />
      <path d="M5.5 7h5M5.5 10h5" />
    </>
  ),
  search: (
    <>
      <circle cx="7" cy="7" r="4.5" />
      <path d="M10.5 10.5l3.5 3.5" />
    </>
  ),
  down: (
    <>
      <path d="M4 6.5l4 4 4-4" />
    </>
  ),
  pause: (
    <>
      <path d="M5.5 3.5v9M10.5 3.5v9" strokeWidth="2" />
    </>
  ),
  more: (
    <>
      <path d="M3.5 8h.1M8 8h.1M12.5 8h.1" strokeWidth="2.2" />
    </>
  ),
  retry: (
    <>
      <path d="M13 8a5 5 0 1 1-1.6-3.7M13 2v3h-3" />
    </>
  ),
  x: (
    <>
      <path d="M4 4l8 8M12 4l-8 8" />
    </>
  ),
  move: (
    <>
      <path d="M2 8h11M9.5 4.5L13 8l-3.5 3.5" />
    </>
  ),
  link: (
    <>
      <path d="M6.5 9.5l3-3M7 4.5l1.2-1.2a3 3 0 0 1 4.3 4.3L11.3 8.8M9 11.5l-1.2 1.2a3 3 0 0 1-4.3-4.3L4.7 7.2" />
    </>
  ),
  warning: (
    <>
      <path d="M8 2.2l6.3 11H1.7z" />
      <path d="M8 6.5v3M8 11.4v.1" />
    </>
  ),
  plus: (
    <>
      <path d="M8 3v10M3 8h10" />
    </>
  ),
  moon: (
    <>
      <path d="M13.5 9.5A6 6 0 0 1 6.5 2.5a5.8 5.8 0 1 0 7 7z" />
    </>
  ),
  bin: (
    <>
      <path d="M2.5 4.5h11M6 4.5v-2h4v2M4 4.5l.7 9h6.6l.7-9" />
    </>
  ),
  services: (
    <>
      <rect x="2" y="3.5" width="12" height="9" rx="1.4" />
      <path d="M2.4 4.4L8 8.8l5.6-4.4" />
    </>
  ),
  trees: (
    <>
      <circle cx="4" cy="3.4" r="1.5" />
      <circle cx="12" cy="8" r="1.5" />
      <circle cx="12" cy="13" r="1.5" />
      <path d="M4 5v8h6.3M4 8h6.3" />
    </>
  ),
  held: (
    <>
      <rect x="3.5" y="7" width="9" height="6.5" rx="1.2" />
      <path d="M5.5 7V5a2.5 2.5 0 0 1 5 0v2" />
    </>
  ),
  server: (
    <>
      <ellipse cx="8" cy="4" rx="5.2" ry="2" />
      <path d="M2.8 4v8c0 1.1 2.3 2 5.2 2s5.2-.9 5.2-2V4M2.8 8c0 1.1 2.3 2 5.2 2s5.2-.9 5.2-2" />
    </>
  ),
  fork: (
    <>
      <circle cx="4" cy="3.4" r="1.5" />
      <circle cx="12" cy="3.4" r="1.5" />
      <circle cx="4" cy="12.6" r="1.5" />
      <path d="M4 5v6M12 5c0 3.4-4 3-8 4.6" />
    </>
  ),
  play: (
    <>
      <path d="M5 3.2l7.5 4.8L5 12.8z" />
    </>
  ),
  send: (
    <>
      <path d="M2.2 8L14 2.5 10.6 13.6 7.6 9z" />
      <path d="M14 2.5L7.6 9" />
    </>
  ),
  copy: (
    <>
      <rect x="5.5" y="5.5" width="8" height="8" rx="1.2" />
      <path d="M10.5 5.5V3.7c0-.7-.5-1.2-1.2-1.2H3.7c-.7 0-1.2.5-1.2 1.2v5.6c0 .7.5 1.2 1.2 1.2h1.8" />
    </>
  ),
  export: (
    <>
      <path d="M8 10.5v-8M4.8 5.2L8 2l3.2 3.2M2.5 10.5v3h11v-3" />
    </>
  ),
  save: (
    <>
      <path d="M4 2.2h8v11.6L8 10.6l-4 3.2z" />
    </>
  ),
  up: (
    <>
      <path d="M4 9.5l4-4 4 4" />
    </>
  ),
  edit: (
    <>
      <path d="M10.6 2.8l2.6 2.6L5.6 13H3v-2.6z" />
    </>
  ),
  info: (
    <>
      <circle cx="8" cy="8" r="6" />
      <path d="M8 7.4v3.4M8 5v.1" />
    </>
  ),
  plug: (
    <>
      <path d="M5.5 2v3M10.5 2v3M4 5h8v2.5a4 4 0 0 1-8 0zM8 11.5V14" />
    </>
  ),
  eye: (
    <>
      <path d="M1.5 8S4 3.6 8 3.6 14.5 8 14.5 8 12 12.4 8 12.4 1.5 8 1.5 8z" />
      <circle cx="8" cy="8" r="1.9" />
    </>
  ),
  key: (
    <>
      <circle cx="5" cy="11" r="2.6" />
      <path d="M7 9l6-6M10.5 5.5l2 2" />
    </>
  ),
  code: (
    <>
      <path d="M5 4.5L1.5 8 5 11.5M11 4.5L14.5 8 11 11.5" />
    </>
  ),
  back: (
    <>
      <path d="M13 8H3M6.5 4.5L3 8l3.5 3.5" />
    </>
  ),
  sun: (
    <>
      <circle cx="8" cy="8" r="3" />
      <path d="M8 1.5v1.6M8 12.9v1.6M1.5 8h1.6M12.9 8h1.6M3.4 3.4l1.1 1.1M11.5 11.5l1.1 1.1M12.6 3.4l-1.1 1.1M4.5 11.5l-1.1 1.1" />
    </>
  ),
  filter: (
    <>
      <path d="M2 3h12l-4.6 5.6V13l-2.8-1.6V8.6z" />
    </>
  ),
  out: (
    <>
      <path d="M6.5 2.5h-4v11h4M6 8h8M11 5l3 3-3 3" />
    </>
  ),
  right: (
    <>
      <path d="M6.5 4l4 4-4 4" />
    </>
  ),
  arrow: (
    <>
      <path d="M2 8h12M9.5 3.5L14 8l-4.5 4.5" />
    </>
  ),
} satisfies Record<string, ReactElement>;
