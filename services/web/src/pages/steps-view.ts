import type { Step } from "@elara/contracts";
import { isCountedStep, startSteps, stepDetail, stepTitle } from "../models/step-title.ts";

/** One line of the way of a start. */
export interface StepLine {
  readonly step: string;
  readonly title: string;
  /** More than the title says; "" for nothing. */
  readonly detail: string;
  readonly at: string;
  readonly clock: string;
  readonly state: "done" | "failed";
}

/** What a page shows of a start: the steps reached, the titles of those to come, and how far it is. */
export interface StepsView {
  readonly lines: readonly StepLine[];
  readonly todo: readonly { readonly step: string; readonly title: string }[];
  readonly percent: number;
}

/** The way of a start for people. After a failure nothing is to come. */
export function stepsView(steps: readonly Step[], isOver: boolean): StepsView {
  const shown = steps.filter(({ step }) => isCountedStep(step) || (step === "failed" && isOver));
  const reached = new Set(shown.map(({ step }) => step));
  return {
    lines: shown.map(line),
    todo: isOver
      ? []
      : startSteps.filter((step) => !reached.has(step)).map((step) => ({ step, title: stepTitle(step) })),
    percent: shown.reduce((most, { progress }) => Math.max(most, progress), 0),
  };
}

const line = ({ step, message, at }: Step): StepLine => ({
  step,
  title: stepTitle(step) || message,
  detail: stepDetail(step, message),
  at,
  clock: `${at.slice(11, 19)} UTC`,
  state: step === "failed" ? "failed" : "done",
});
