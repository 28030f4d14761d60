/** The table of pages: address, place in the rail, key, and the chunk that is loaded when it is first shown. */
import { lazy, type ComponentType, type LazyExoticComponent } from "react";
import { type KeyName, table } from "../keys/table";
import type { IconName } from "../parts/Icon";
import * as text from "../text";

export interface PageProps {
  /** What stands in the address where the pattern has a name. */
  args: Readonly<Record<string, string>>;
  params: URLSearchParams;
}

export interface Page {
  /** "flows/:flow/jobs/:id" */
  pattern: string;
  /** Under which entry of the rail it stands. */
  under: string;
  title: string;
  Component: LazyExoticComponent<ComponentType<PageProps>> | ComponentType<PageProps>;
}

export interface Entry {
  name: string;
  to: string;
  key: KeyName;
  icon: IconName;
  title: string;
}

/** The entries of the rail, in order; what each is called stands in the table of keys. */
export const entries: readonly Entry[] = [
  entry("board", "", "goBoard"),
  entry("jobs", "jobs", "goJobs"),
  entry("runs", "runs", "goRuns"),
  entry("trees", "trees", "goTrees"),
  entry("schedules", "schedules", "goSchedules"),
  entry("workers", "workers", "goWorkers"),
  entry("limits", "limits", "goLimits"),
  entry("audit", "audit", "goAudit"),
  entry("server", "server", "goServer"),
];

function entry(name: string, to: string, key: KeyName & `go${string}`): Entry {
  const { icon, title } = table[key];
  return { name, to, key, icon, title };
}

function page(
  pattern: string,
  under: string,
  title: string,
  load: () => Promise<{ default: ComponentType<PageProps> }>,
): Page {
  return { pattern, under, title, Component: lazy(() => loaded(load)) };
}

const RELOADED = "flows.reloaded";

/** A page of a build that is served no more cannot be loaded: the newer build is, once. */
async function loaded<T>(load: () => Promise<T>): Promise<T> {
  try {
    const found = await load();
    sessionStorage.removeItem(RELOADED);
    return found;
  } catch (error) {
    if (sessionStorage.getItem(RELOADED)) throw error;
    sessionStorage.setItem(RELOADED, "1");
    location.reload();
    return new Promise(() => {});
  }
}

export const pages: readonly Page[] = [
  page("", "board", text.frame.board, () => import("./board/Overview")),
  page("flows/:flow", "board", text.frame.board, () => import("./board/Board")),
  page("flows/:flow/jobs/:id", "jobs", text.frame.job, () => import("./job/Job")),
  page("jobs", "jobs", text.frame.jobs, () => import("./jobs/Jobs")),
  page("new", "jobs", text.frame.newJob, () => import("./new/NewJob")),
  page("runs", "runs", text.frame.runs, () => import("./runs/Runs")),
  page("runs/:id", "runs", text.frame.run, () => import("./runs/Run")),
  page("trees", "trees", text.frame.trees, () => import("./trees/Trees")),
  page("trees/:id", "trees", text.frame.tree, () => import("./trees/Tree")),
  page("schedules", "schedules", text.frame.schedules, () => import("./schedules/Schedules")),
  page("workers", "workers", text.frame.workers, () => import("./workers/Workers")),
  page("limits", "limits", text.frame.limits, () => import("./limits/Limits")),
  page("audit", "audit", text.frame.audit, () => import("./audit/Audit")),
  page("server", "server", text.frame.server, () => import("./server/Server")),
];

const nowhere = page("*", "", text.frame.notFound, () => import("./notFound/NotFound"));

/** The page of an address, and what its names stand for. */
export function find(path: string): { page: Page; args: Record<string, string> } {
  const parts = path === "" ? [] : path.split("/");
  for (const candidate of pages) {
    const names = candidate.pattern === "" ? [] : candidate.pattern.split("/");
    if (names.length !== parts.length) continue;
    const args: Record<string, string> = {};
    if (
      names.every((name, i) =>
        name.startsWith(":") ? ((args[name.slice(1)] = decoded(parts[i]!)), true) : name === parts[i],
      )
    )
      return { page: candidate, args };
  }
  return { page: nowhere, args: {} };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
