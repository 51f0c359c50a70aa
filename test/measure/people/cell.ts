/** One figure of the measure: a cell of a table, with what was seen. */
export interface Cell {
  readonly row: string;
  readonly column: string;
  readonly ok: boolean;
  /** What proves it: an id, a count, a time, the words of a page. */
  readonly evidence: string;
}

/** A part of the measure: tries its thing on whole hubs and tells each cell; `say` prints a line beside the table. */
export type Part = (say: (line?: string) => void) => Promise<readonly Cell[]>;
