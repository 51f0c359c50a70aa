/** Whether the client wants JSON rather than a page: it lists `application/json`, and not behind `text/html`. A wildcard alone counts as a browser. */
export function prefersJson(accept: string | undefined): boolean {
  const types = (accept ?? "").split(",").map((part) => part.split(";", 1)[0]?.trim().toLowerCase());
  const json = types.indexOf("application/json");
  const html = types.indexOf("text/html");
  return json >= 0 && (html < 0 || json < html);
}
