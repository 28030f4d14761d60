/** The address is the state of a page: which page, with which params. Every address is relative to the page's base. */
import { useSyncExternalStore } from "react";

export interface Route {
  /** Without the prefix and without slashes at its ends: "flows/shop/jobs/0192…". */
  path: string;
  params: URLSearchParams;
}

/** The prefix under which the dashboard is served, with a slash at its end: "/" or "/ops/flows/". */
export const prefix = new URL(document.baseURI).pathname;

let current = read();
const listeners = new Set<() => void>();

function read(): Route {
  const path = location.pathname.startsWith(prefix) ? location.pathname.slice(prefix.length) : location.pathname;
  return { path: path.replace(/^\/+|\/+$/g, ""), params: new URLSearchParams(location.search) };
}

function notice() {
  current = read();
  for (const listener of [...listeners]) listener();
}

addEventListener("popstate", notice);

function subscribe(listener: () => void) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const route = () => current;

export function useRoute(): Route {
  return useSyncExternalStore(subscribe, route);
}

/** Goes to an address such as "jobs?q=state:failed"; `replace` leaves no entry in the history. */
export function navigate(to: string, { replace = false } = {}) {
  const url = new URL(to.replace(/^\//, ""), document.baseURI);
  if (url.href === location.href) return;
  history[replace ? "replaceState" : "pushState"](null, "", url);
  notice();
  if (!replace) scrollTo(0, 0);
}

/** Changes params of the present address; null takes one away. */
export function setParams(changes: Record<string, string | null>, { replace = true } = {}) {
  const params = new URLSearchParams(current.params);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === "") params.delete(name);
    else params.set(name, value);
  }
  const query = params.toString();
  navigate(current.path + (query ? `?${query}` : ""), { replace });
}

/** Makes an address of parts that may hold anything, and params: at("flows", name, "jobs", id). */
export function at(...parts: string[]): string {
  return parts.map(encodeURIComponent).join("/");
}

/** An address with params; those that are empty are left out. */
export function withParams(to: string, params: Record<string, string | null | undefined>): string {
  const kept = Object.entries(params).filter((entry): entry is [string, string] => Boolean(entry[1]));
  const query = new URLSearchParams(kept).toString();
  return query ? `${to}?${query}` : to;
}

/** The address of the list of jobs that a query finds. */
export const jobsAt = (query: string) => withParams("jobs", { q: query });
/** The address of one job. */
export const jobAt = (flow: string, id: string) => at("flows", flow, "jobs", id);
