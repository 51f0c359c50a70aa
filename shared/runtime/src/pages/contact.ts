/** Whom people may ask, as pages show it. */
export type Contact =
  | { readonly kind: "none" }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "link"; readonly text: string; readonly href: string };

const MAIL = /^[^\s@<>"]+@[^\s@<>"]+\.[^\s@<>"]+$/;

/** What `auth.contact` says: a mail address and an address of the web become links, all else stays text. */
export function contactOf(configured: string): Contact {
  const text = configured.trim();
  if (text === "") return { kind: "none" };
  if (MAIL.test(text)) return { kind: "link", text, href: `mailto:${encodeURI(text)}` };
  if (/^https?:\/\//i.test(text) && URL.canParse(text)) {
    const { href } = new URL(text);
    return { kind: "link", text: text.replace(/^https?:\/\//i, "").replace(/\/$/, ""), href };
  }
  return { kind: "text", text };
}
