import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { safeNext } from "../src/http/next-url.ts";

const own = { origin: "https://hub.example", baseUrl: "/" };

describe("where to go after login", () => {
  for (const [given, expected] of [
    ["/hub/home", "/hub/home"],
    ["/user/ada/lab?a=1&b=%2F#c", "/user/ada/lab?a=1&b=%2F#c"],
    ["https://hub.example/hub/token", "/hub/token"],
    ["HTTPS://HUB.EXAMPLE:443/hub/token?x", "/hub/token?x"],
    ["/\\evil", "/%5Cevil"],
    ["/user/a b", undefined],
    ["/user/ada/a%20b", "/user/ada/a%20b"],
    ["/hub/../user/ada/", "/user/ada/"],
  ] as const) {
    it(`takes ${JSON.stringify(given)} to ${expected}`, () => assert.equal(safeNext(given, own), expected));
  }

  // From the two advisories on open redirects in JupyterHub, and the usual tricks.
  for (const evil of [
    "",
    "hub/home",
    "http://evil.example/",
    "//evil.example/x",
    "///evil",
    "////evil.example",
    "\\\\evil.example",
    "\\/evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "\t//evil.example",
    " //evil.example",
    "/.//evil.example",
    "/..//evil.example",
    "/hub/..//evil.example",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,x",
    "http:evil.example",
    "https:/evil.example",
    "https:\\\\evil.example",
    "https://hub.example@evil.example/",
    "https://ada@hub.example/hub/",
    "https://hub.example.evil.example/",
    "http://hub.example/hub/",
    "https://hub.example:8443/hub/",
    "https://hub.example\\@evil.example",
    "https://hub.example//evil.example",
    "/\u0000/evil",
    "ftp://hub.example/",
  ]) {
    it(`refuses ${JSON.stringify(evil)}`, () => assert.equal(safeNext(evil, own), undefined));
  }

  it("keeps under the base path", () => {
    const based = { origin: "http://127.0.0.1:8000", baseUrl: "/jhub/" };
    assert.equal(safeNext("/jhub/hub/home", based), "/jhub/hub/home");
    assert.equal(safeNext("/jhub", based), "/jhub");
    assert.equal(safeNext("/other/", based), undefined);
    assert.equal(safeNext("/jhub/../other", based), undefined);
    assert.equal(safeNext("/jhubevil/", based), undefined);
  });

  it("never leaves the origin, whatever the text", () => {
    const alphabet = [
      "/",
      "\\",
      "%5C",
      "%2F",
      ".",
      "..",
      ":",
      "@",
      "hub",
      "evil.example",
      "https:",
      "?",
      "#",
      "\t",
    ];
    let seed = 5;
    for (let round = 0; round < 20_000; round += 1) {
      let text = "";
      for (let n = 0; n < 7; n += 1) {
        seed = (seed * 1103515245 + 12345) % 2147483648;
        text += alphabet[(seed >> 8) % alphabet.length];
      }
      const next = safeNext(text, own);
      if (next !== undefined) assert.equal(new URL(next, own.origin).origin, own.origin, text);
    }
  });
});
