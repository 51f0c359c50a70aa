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
  queued: "Waiting in the queue",
  environment: "Environment prepared",
  process_started: "Process started",
  port_answers: "Port answers",
  route_added: "Route added",
  ready: "Ready",
  failed: "Failed",
};

/** A short title of a known step; "" for a plugin's own, whose message says all. */
export const stepTitle = (step: string): string => TITLES[step] ?? "";

/** What the message of a step says beyond its title; "" for nothing. */
export function stepDetail(step: string, message: string): string {
  const title = stepTitle(step);
  if (title === "") return "";
  const said = message.replace(/^server (?=ready|requested)/i, "");
  return said.toLowerCase().startsWith(title.toLowerCase())
    ? said.slice(title.length).replace(/^[\s,:.]+/, "")
    : message;
}

/** While such a step is the last one, what it tells of still goes on: waiting in a queue, and what plugins tell, as a pull. */
export const isOngoing = (step: string): boolean => step === "queued" || stepTitle(step) === "";

/** Steps on the way to ready; how it ended is told apart. */
export const isCountedStep = (step: string): boolean =>
  step !== "failed" && step !== "stopping" && step !== "stopped";
