/** The way of a start, in order; what is not reached yet is shown ahead. */
export const startSteps = [
  "requested",
  "environment",
  "process_started",
  "port_answers",
  "route_added",
  "ready",
] as const;

const TITLES: Readonly<Record<string, string>> = {
  requested: "Requested",
  environment: "Environment prepared",
  process_started: "Process started",
  port_answers: "Port answers",
  route_added: "Route added",
  ready: "Ready",
  failed: "Failed",
};

/** A short title of a known step; "" for a plugin's own, whose message says all. */
export const stepTitle = (step: string): string => TITLES[step] ?? "";

/** Steps on the way to ready; how it ended is told apart. */
export const isCountedStep = (step: string): boolean =>
  step !== "failed" && step !== "stopping" && step !== "stopped";
