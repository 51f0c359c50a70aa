import { escapeName } from "@elara/runtime/http/paths";

/** Public path of a server, as JupyterHub builds it: `/user/ada/`, `/user/ada/lab2/`. */
export const serverPath = (baseUrl: string, userName: string, serverName: string): string =>
  `${baseUrl}user/${escapeName(userName)}/${serverName === "" ? "" : `${escapeName(serverName)}/`}`;

const NAME = /^(?=.{1,30}$)[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

/** First path elements of a default server's own pages: a named server of that name would hide them from its owner. */
const RESERVED = new Set(
  "api consoles custom doc edit events files hub kernelspecs lab login logout lsp metrics nbconvert notebooks proxy static terminals tree view".split(
    " ",
  ),
);

/**
 * Server names: 1–30 lower-case letters, digits, single hyphens; begins with a letter, ends alphanumeric; none of the
 * default server's own pages. "" is the default server.
 */
export const isServerName = (name: string): boolean =>
  name === "" || (NAME.test(name) && !RESERVED.has(name));
