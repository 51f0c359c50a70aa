import { HubError, type HubErrorOptions } from "@elara/contracts";

/** One error a plugin can raise: HTTP status, a sentence for the user, one for the operator. */
export interface PluginErrorEntry {
  readonly status: number;
  readonly user: string;
  readonly operator: string;
  readonly retryable?: boolean;
}
export type PluginErrors = Readonly<Record<string, PluginErrorEntry>>;

/**
 * An error with a stable code which the hub may show to the user. The code begins with the plugin's name in capitals
 * (`LOCAL_COMMAND_NOT_FOUND`) and stands in the plugin's `errors` table, from which the sentences come.
 */
export class PluginError extends HubError {
  constructor(errors: PluginErrors, code: string, options: HubErrorOptions = {}) {
    const entry = errors[code];
    super(code, {
      ...options,
      message: options.message ?? entry?.user ?? code,
      operator: options.operator ?? entry?.operator ?? "",
      status: options.status ?? entry?.status ?? 500,
      retryable: options.retryable ?? entry?.retryable ?? false,
    });
  }
}
