/** A metric as JupyterHub names it, without the prefix. */
export interface Metric {
  readonly kind: "histogram" | "counter" | "gauge";
  readonly help: string;
  readonly labels?: readonly string[];
  readonly buckets?: readonly number[];
  /** Series that are there from the beginning, so that a rate over them has a value before something happens. */
  readonly from?: readonly Readonly<Record<string, string>>[];
}

/** Of Python's client, which JupyterHub takes where it names none. */
const USUAL = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
const SPAWN = [0.5, 1, 2.5, 5, 10, 15, 30, 60, 120, 180, 300, 600];
const LOOP = [0.05, 0.055, 0.06, 0.065, 0.07, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

const seconds = (help: string, labels: readonly string[] = [], from?: Metric["from"]): Metric => ({
  kind: "histogram",
  help,
  labels,
  buckets: USUAL,
  ...(from ? { from } : {}),
});
const statuses = (...values: string[]) => values.map((status) => ({ status }));

/** The metrics of JupyterHub 6.1.1, under its names; `npm test -- metrics` holds them against its own module. */
export const catalogue = {
  request_duration_seconds: seconds("Request duration for all HTTP requests", ["method", "handler", "code"]),
  server_spawn_duration_seconds: {
    kind: "histogram",
    help: "Time taken for server spawning operation",
    labels: ["status", "reason"],
    buckets: bucketsFrom("JUPYTERHUB_SERVER_SPAWN_DURATION_SECONDS_BUCKETS", SPAWN),
    from: [
      ...["success", "failure", "error"].map((status) => ({ status, reason: "" })),
      ...["throttled", "too-many-users", "already-pending"].map((reason) => ({ status: "failure", reason })),
    ],
  },
  running_servers: { kind: "gauge", help: "The number of user servers currently running" },
  total_users: { kind: "gauge", help: "Total number of users" },
  active_users: {
    kind: "gauge",
    help: "Number of users who were active in the given time period",
    labels: ["period"],
  },
  check_routes_duration_seconds: seconds("Time taken to validate all routes in proxy"),
  hub_startup_duration_seconds: seconds("Time taken for Hub to start"),
  init_spawners_duration_seconds: seconds("Time taken for spawners to initialize"),
  proxy_poll_duration_seconds: seconds("Duration for polling all routes from proxy"),
  login_duration_seconds: seconds("duration for all authentication attempts", ["status"]),
  logout_duration_seconds: seconds("duration for all logout requests"),
  csp_reports: { kind: "counter", help: "content security policy violation reports" },
  proxy_add_duration_seconds: seconds(
    "Duration for adding user routes to proxy",
    ["status"],
    statuses("success", "failure"),
  ),
  server_poll_duration_seconds: seconds(
    "Time taken to poll if server is running",
    ["status"],
    statuses("running", "stopped"),
  ),
  server_stop_seconds: {
    kind: "histogram",
    help: "Time taken for server stopping operation",
    labels: ["status"],
    buckets: bucketsFrom("JUPYTERHUB_SERVER_STOP_DURATION_SECONDS_BUCKETS", USUAL),
    from: statuses("success", "failure"),
  },
  proxy_delete_duration_seconds: seconds(
    "Duration for deleting user routes from proxy",
    ["status"],
    statuses("success", "failure"),
  ),
  event_loop_interval_seconds: {
    kind: "histogram",
    help: "Distribution of measured event loop intervals",
    buckets: LOOP,
  },
} as const satisfies Record<string, Metric>;

export type MetricName = keyof typeof catalogue;

/** The whole name: `jupyterhub_…`, or with JUPYTERHUB_METRICS_PREFIX in front. A counter ends in `_total`. */
export function fullName(name: MetricName): string {
  const prefix = process.env.JUPYTERHUB_METRICS_PREFIX || "jupyterhub";
  return `${prefix}_${name}${catalogue[name].kind === "counter" ? "_total" : ""}`;
}

function bucketsFrom(variable: string, otherwise: readonly number[]): readonly number[] {
  const given = (process.env[variable] ?? "").trim();
  const buckets = given === "" ? otherwise : given.split(",").map(Number);
  return buckets.filter((bound) => Number.isFinite(bound));
}
