import type { Step } from "@elara/contracts";
import { type SentencePart, withTimes } from "../models/start-state.ts";
import { lastOfRuns } from "../models/step-runs.ts";
import { isCountedStep, isOngoing, startSteps, stepDetail, stepTitle } from "../models/step-title.ts";

/** One line of the way of a start. */
export interface StepLine {
  readonly step: string;
  readonly title: string;
  /** More than the title says, moments in it told apart; empty for nothing. */
  readonly detail: readonly SentencePart[];
  readonly at: string;
  readonly clock: string;
  readonly state: "done" | "now" | "failed";
}

/** What a page shows of a start: the steps reached, the titles of those to come, and how far it is. */
export interface StepsView {
  readonly lines: readonly StepLine[];
  readonly todo: readonly { readonly step: string; readonly title: string }[];
  /** The last line still goes on: the first to come is not what is waited for. */
  readonly isOngoing: boolean;
  readonly percent: number;
}

/** The way of a start for people. After a failure nothing is to come. */
export function stepsView(steps: readonly Step[], isOver: boolean): StepsView {
  const shown = lastOfRuns(steps.filter(({ step }) => isCountedStep(step) || (step === "failed" && isOver)));
  const goesOn = !isOver && isOngoing(shown.at(-1)?.step ?? "requested");
  const reached = new Set(shown.map(({ step }) => step));
  return {
    lines: shown.map((step, index) => line(step, goesOn && index === shown.length - 1)),
    isOngoing: goesOn,
    todo: isOver
      ? []
      : startSteps.filter((step) => !reached.has(step)).map((step) => ({ step, title: stepTitle(step) })),
    percent: shown.reduce((most, { progress }) => Math.max(most, progress), 0),
  };
}

const line = ({ step, message, at }: Step, isNow: boolean): StepLine => ({
  step,
  title: stepTitle(step) || message,
  detail: withTimes(stepDetail(step, message)),
  at,
  clock: `${at.slice(11, 19)} UTC`,
  state: step === "failed" ? "failed" : isNow ? "now" : "done",
});
