/** One row of the table: HTTP status, a sentence for the user, a sentence for the operator (what to do). */
export interface ErrorEntry {
  readonly status: number;
  readonly user: string;
  readonly operator: string;
  /** The same request may succeed later. */
  readonly retryable?: boolean;
}
