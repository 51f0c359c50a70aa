import type { Step } from "@elara/contracts";

/** Steps of one name in a row are one thing going on, a pull at 3, 4, 5 %: only the last of them is shown. */
export const lastOfRuns = (steps: readonly Step[]): Step[] =>
  steps.filter(({ step }, index) => steps[index + 1]?.step !== step);
