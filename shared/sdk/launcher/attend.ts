import type { Logger } from "../src/host.ts";
import type { Launch } from "./start.ts";

/**
 * Lets a new launcher take over where a killed one left its server alone: one call for a server at a time. Never rejects.
 * `facts` are logged.
 */
export function attender(log: Logger) {
  const attending = new Set<string>();
  return async (
    tag: string,
    launch: Launch,
    { checkListener, facts }: { readonly checkListener?: boolean; readonly facts?: object } = {},
  ): Promise<void> => {
    if (attending.has(tag)) return;
    attending.add(tag);
    try {
      await launch({ action: "attend", tag, ...(checkListener !== undefined && { checkListener }) });
      log.warn({ tag, ...facts }, "launcher was gone, another one took over");
    } catch (error) {
      log.warn({ tag, ...facts, err: error }, "launcher is gone, none could take over");
    } finally {
      attending.delete(tag);
    }
  };
}
