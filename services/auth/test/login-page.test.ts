import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { book, provider } from "./authenticators.ts";
import { Stand, type StandOptions } from "./stand.ts";

/** What stands on the log-in page, one below the other. */
async function waysOf(authenticators: StandOptions["authenticators"] & {}): Promise<string[]> {
  const stand = await Stand.open({ authenticators });
  const { body } = await stand.browser().get("/hub/login");
  await stand.close();
  return [...body.matchAll(/<(button|summary|a role="button"|p class="or")[^>]*>([^<]+)</g)].map(
    ([, tag = "", text = ""]) => `${tag.split(" ")[0]}: ${text}`,
  );
}

describe("the log-in page with several ways in", () => {
  test("has the open form, then a line, then a button for each other way, in the order of the configuration", async () => {
    assert.deepEqual(await waysOf([book(), { ...provider(), label: "GitHub" }, book({ name: "other" })]), [
      "button: Sign in with the book",
      "p: or",
      "a: Sign in with GitHub",
      "summary: Sign in with the other",
      "button: Sign in with the other",
    ]);
    assert.deepEqual(await waysOf([provider(), book()]), [
      "a: Sign in with the Provider",
      "p: or",
      "button: Sign in with the book",
    ]);
  });

  test("has buttons alone where there is no form, and no name twice", async () => {
    assert.deepEqual(await waysOf([provider(), provider({ name: "second" })]), [
      "a: Sign in with the Provider (provider)",
      "a: Sign in with the Provider (second)",
    ]);
    assert.deepEqual(await waysOf([provider(), { ...provider({ name: "second" }), label: "Guests" }]), [
      "a: Sign in with the Provider",
      "a: Sign in with Guests",
    ]);
  });
});
