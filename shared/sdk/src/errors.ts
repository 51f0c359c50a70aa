import { HubError, type HubErrorOptions } from "@elara/contracts";
import type { AuthState } from "./auth-state.ts";

/** One error a plugin can raise: HTTP status, a sentence for the user, one for the operator. */
export interface PluginErrorEntry {
  /**
   * 400 to 599: of the answer to a log-in or a start that fails with it, while its request waits or when its page is
   * asked for later. 503 tells clients when to come again.
   */
  readonly status: number;
  readonly user: string;
  readonly operator: string;
  /** The same may work later: an error page in a log-in then asks again by itself. The hub never repeats a failed start. */
  readonly retryable?: boolean;
}
export type PluginErrors = Readonly<Record<string, PluginErrorEntry>>;

export interface PluginErrorOptions extends HubErrorOptions {
  /**
   * Of `start`: a promise that this call made nothing and never will, as it sent no order, or the order was refused as a
   * whole. Then the hub searches for nothing and the next start need not wait. Never where only the answer was lost.
   */
  nothingMade?: boolean;
  /** Of `finish`: as whom the provider knows the person who is refused, for the page that says so. */
  who?: string;
  /** See PluginError. */
  authState?: AuthState;
}

/**
 * An error with a stable code which the hub may show to the user. The code begins with the plugin's name in capitals
 * (`LOCAL_COMMAND_NOT_FOUND`) and stands in the plugin's `errors` table, from which the sentences come.
 */
export class PluginError extends HubError {
  /** See PluginErrorOptions. */
  readonly nothingMade: boolean;
  /** See PluginErrorOptions; "" where nobody is known. */
  readonly who: string;
  #authState: AuthState | undefined;

  constructor(errors: PluginErrors, code: string, options: PluginErrorOptions = {}) {
    const entry = errors[code];
    super(code, {
      ...options,
      message: options.message ?? entry?.user ?? code,
      operator: options.operator ?? entry?.operator ?? "",
      status: options.status ?? entry?.status ?? 500,
      retryable: options.retryable ?? entry?.retryable ?? false,
    });
    this.nothingMade = options.nothingMade ?? false;
    this.who = options.who ?? "";
    this.#authState = options.authState;
  }

  /**
   * Of `finish`: what the provider had given before the log-in failed. The hub gives it back through `logout`, until that
   * resolves. Neither logged nor serialised.
   */
  get authState(): AuthState | undefined {
    return this.#authState;
  }

  set authState(authState: AuthState) {
    this.#authState = authState;
  }
}
