/**
 * Follows an authorize address as a browser of `person` would, who allows everything; resolves with the first address
 * outside the stand-in: the application's callback. `deny` says no instead. Cookies live as long as the walk, so each is a new browser.
 */
export async function walkAs(authorizeUrl: string, person: string, { deny = false } = {}): Promise<string> {
  const start = new URL(authorizeUrl);
  start.searchParams.set("as", person);
  if (deny) start.searchParams.set("deny", "1");
  const jar = new Map<string, string>();
  let at = start;
  for (let step = 0; step < 12; step++) {
    const answer = await fetch(at, {
      redirect: "manual",
      headers: {
        cookie: [...jar].map(([name, value]) => `${name}=${value}`).join("; "),
        accept: "text/html",
      },
    });
    for (const cookie of answer.headers.getSetCookie()) {
      const [pair = ""] = cookie.split(";");
      jar.set(pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1));
    }
    const location = answer.headers.get("location");
    const words = await answer.text();
    if (!location) throw new Error(`${at.pathname} answered ${answer.status}: ${plain(words)}`);
    at = new URL(location, at);
    if (at.origin !== start.origin) return at.href;
  }
  throw new Error("the stand-in redirects in a circle");
}

const plain = (html: string): string =>
  html
    .replace(/<style>[\s\S]*?<\/style>|<[^>]+>/g, " ")
    .replace(/\s+/g, " ")
    .trim()
    .slice(0, 300);
