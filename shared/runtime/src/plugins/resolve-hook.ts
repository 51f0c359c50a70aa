import { registerHooks } from "node:module";

/**
 * Lets a lone plugin or configuration file anywhere on the machine import the hub's packages by name: what is not
 * found from where the file lies is looked for from here. Nothing that resolves by itself is changed.
 */
registerHooks({
  resolve(specifier, context, next) {
    try {
      return next(specifier, context);
    } catch (error) {
      if (!specifier.startsWith("@elara/") && !/^typebox(\/|$)/.test(specifier)) throw error;
      return next(specifier, { ...context, parentURL: import.meta.url });
    }
  },
});
