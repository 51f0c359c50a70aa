import type { PluginErrors } from "../src/errors.ts";

/**
 * Finds a plugin's own code for one of the launcher, `SSH_BUSY` for `BUSY`; undefined when its table has none. `renamed`:
 * where the plugin has another word.
 */
export function codesOf<Errors extends PluginErrors>(
  errors: Errors,
  prefix: string,
  renamed: Readonly<Record<string, string>>,
) {
  const isOurs = (code: string): code is keyof Errors & string => Object.hasOwn(errors, code);
  return (launcher: string): (keyof Errors & string) | undefined => {
    const code = `${prefix}_${renamed[launcher] ?? launcher}`;
    return isOurs(code) ? code : undefined;
  };
}
