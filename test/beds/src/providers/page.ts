/** How a stand-in's pages look: whose they are, and the colour of its buttons. */
export interface Brand {
  readonly name: string;
  readonly colour: string;
  /** Words for the picture beside the name. */
  readonly mark: string;
}

export interface Choice {
  /** Value that is sent. */
  readonly value: string;
  readonly title: string;
  readonly detail: string;
}

const escapes: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};
const safe = (text: string): string => text.replace(/[&<>"']/g, (sign) => escapes[sign] ?? sign);

const hiddenFields = (fields: Readonly<Record<string, string>>): string =>
  Object.entries(fields)
    .map(([name, value]) => `<input type="hidden" name="${safe(name)}" value="${safe(value)}">`)
    .join("");

/** A page of the stand-in, whole HTML. Needs no script and loads nothing. */
export function page(brand: Brand, title: string, body: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${safe(title)} · ${safe(brand.name)}</title>
<style>
:root { color-scheme: light dark; --brand: ${brand.colour}; --ground: #f4f5f7; --card: #fff; --text: #1c2128; --soft: #59636e; --line: #d9dee4; }
@media (prefers-color-scheme: dark) { :root { --ground: #0e1116; --card: #171b21; --text: #e8ebef; --soft: #98a2ad; --line: #303740; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1.5rem 1rem; background: var(--ground); color: var(--text);
  font: 16px/1.5 system-ui, "Liberation Sans", sans-serif; }
main { width: min(26rem, 100%); }
.brand { display: flex; align-items: center; justify-content: center; gap: .7rem; margin-bottom: 1.25rem; font-weight: 600; font-size: 1.15rem; }
.mark { display: grid; place-items: center; width: 2.5rem; height: 2.5rem; border-radius: .7rem; background: var(--brand); color: #fff; font-size: .95rem; letter-spacing: .02em; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: .9rem; padding: 1.6rem; box-shadow: 0 1px 3px rgb(0 0 0 / .06); }
h1 { margin: 0 0 .35rem; font-size: 1.3rem; line-height: 1.3; }
p { margin: 0 0 1.1rem; color: var(--soft); }
form { margin: 0; } form + form { margin-top: .6rem; }
button { width: 100%; font: inherit; cursor: pointer; border-radius: .6rem; border: 1px solid var(--line); padding: .7rem .9rem; background: transparent; color: inherit; text-align: left; }
button:hover { border-color: var(--brand); } button:focus-visible { outline: 3px solid color-mix(in srgb, var(--brand) 45%, transparent); outline-offset: 2px; }
button small { display: block; color: var(--soft); overflow-wrap: anywhere; }
button.go { background: var(--brand); border-color: var(--brand); color: #fff; text-align: center; font-weight: 600; }
button.no { text-align: center; }
ul { margin: 0 0 1.25rem; padding: 0; list-style: none; border: 1px solid var(--line); border-radius: .6rem; }
li { padding: .6rem .9rem; overflow-wrap: anywhere; } li + li { border-top: 1px solid var(--line); } li small { display: block; color: var(--soft); }
.note { border-left: 3px solid var(--brand); padding-left: .8rem; color: var(--text); }
footer { margin-top: 1rem; text-align: center; color: var(--soft); font-size: .85rem; }
</style></head>
<body><main><div class="brand"><span class="mark">${safe(brand.mark)}</span>${safe(brand.name)}</div>
<div class="card">${body}</div>
<footer>Stands in for ${safe(brand.name)} in tests; nobody here is real.</footer></main></body></html>`;
}

/** "Who are you?": a button for each person. */
export function signInPage(
  brand: Brand,
  wish: {
    app: string;
    action: string;
    hidden: Readonly<Record<string, string>>;
    people: readonly Choice[];
    note?: string | undefined;
  },
): string {
  const buttons = wish.people.map(
    ({ value, title, detail }) =>
      `<form method="post" action="${safe(wish.action)}">${hiddenFields({ ...wish.hidden, person: value })}<button>${safe(title)}<small>${safe(detail)}</small></button></form>`,
  );
  return page(
    brand,
    "Sign in",
    `<h1>Sign in</h1><p>to continue to ${safe(wish.app)}</p>${wish.note ? `<p class="note">${safe(wish.note)}</p>` : ""}${buttons.join("")}`,
  );
}

/** "May it?": what the application wants, one button for yes, one for no. */
export function consentPage(
  brand: Brand,
  wish: {
    app: string;
    person: string;
    action: string;
    hidden: Readonly<Record<string, string>>;
    scopes: readonly { scope: string; meaning: string }[];
  },
): string {
  const scopes = wish.scopes.map(
    ({ scope, meaning }) => `<li>${safe(meaning)}<small>${safe(scope)}</small></li>`,
  );
  const button = (answer: string, style: string, words: string): string =>
    `<form method="post" action="${safe(wish.action)}">${hiddenFields({ ...wish.hidden, answer })}<button class="${style}">${safe(words)}</button></form>`;
  return page(
    brand,
    "Authorize",
    `<h1>Authorize ${safe(wish.app)}</h1><p>It wants to act for ${safe(wish.person)}:</p><ul>${scopes.join("")}</ul>${button("allow", "go", `Allow ${wish.app}`)}${button("deny", "no", "Cancel")}`,
  );
}

/** An error as a page of the provider itself. */
export const errorPage = (brand: Brand, words: string): string =>
  page(brand, "Error", `<h1>That did not work</h1><p>${safe(words)}</p>`);
