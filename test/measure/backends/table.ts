import type { Shape } from "../../fixtures/hub.ts";
import type { Outcome } from "../../fixtures/trials/outcome.ts";

export const columns = [
  "JupyterLab ready",
  "kernel ran",
  "restart survived",
  "found without handle",
  "cancelled",
  "cause told",
  "culled",
  "outage survived",
] as const;
export type Column = (typeof columns)[number];

/** Backend × column, for each shape; each cell is evidence or what fell short. */
export interface Table {
  put(shape: Shape, backend: string, column: Column, outcome: Outcome): void;
  /** Of all cells that are due; what was never put falls short. */
  count(): { good: number; all: number };
  /** Lines of Markdown, a table for each shape. */
  lines(): string[];
}

/** An empty table for these backends and shapes. `say` hears each cell when it comes. */
export function openTable(
  backends: readonly string[],
  shapes: readonly Shape[],
  say: (line: string) => void,
): Table {
  const cells = new Map<string, Outcome>();
  const key = (...of: string[]): string => of.join("/");
  const cell = (shape: Shape, backend: string, column: Column): Outcome =>
    cells.get(key(shape, backend, column)) ?? { ok: false, text: "not reached" };
  const row = (...parts: string[]): string => `| ${parts.join(" | ")} |`;
  const shown = ({ ok, text }: Outcome): string => `${ok ? "" : "FAIL: "}${text.replaceAll("|", "/")}`;
  return {
    put(shape, backend, column, outcome) {
      cells.set(key(shape, backend, column), outcome);
      say(
        `${outcome.ok ? "ok  " : "FAIL"}  ${shape.padEnd(5)}  ${backend.padEnd(11)}  ${column.padEnd(20)}  ${outcome.text}`,
      );
    },
    count() {
      const all = shapes.flatMap((shape) =>
        backends.flatMap((backend) => columns.map((column) => cell(shape, backend, column))),
      );
      return { good: all.filter(({ ok }) => ok).length, all: all.length };
    },
    lines: () =>
      shapes.flatMap((shape) => [
        "",
        row(shape, ...columns),
        row("---", ...columns.map(() => "---")),
        ...backends.map((backend) =>
          row(backend, ...columns.map((column) => shown(cell(shape, backend, column)))),
        ),
      ]),
  };
}
