import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { assertIdentityProvider, nameOf } from "../src/globus/person.ts";

const UNI = { preferred_username: "ada@uni.example", email: "ada.l@uni.example", identity_provider: "Id-1" };
const none = { domain: "", identityProviderId: "", usernameFromEmail: false };
const byDomain = { ...none, domain: "uni.example" };
const byId = { ...none, identityProviderId: "id-1" };
const byMail = { ...byDomain, usernameFromEmail: true };

describe("the identity provider", () => {
  for (const [what, said, settings] of [
    ["no restriction", [{}, {}], none],
    ["the domain, in any case", [UNI, { preferred_username: "ada@UNI.example" }], byDomain],
    ["the domain, said in one place only", [{}, UNI], byDomain],
    ["the UUID, in any case", [UNI, UNI], byId],
    ["the domain of both name and e-mail", [UNI, UNI], byMail],
  ] as const)
    test(`is right: ${what}`, () => assertIdentityProvider(said, settings));

  const at = (preferred_username: string) => ({ ...UNI, preferred_username });
  for (const [what, said, settings] of [
    ["userinfo says another domain than the id_token", [UNI, at("ada@elsewhere.example")], byDomain],
    ["the id_token says another domain than userinfo", [at("ada@elsewhere.example"), UNI], byDomain],
    ["nobody says a name", [{}, { email: "ada@uni.example" }], byDomain],
    ["a name without domain", [at("uni.example")], byDomain],
    ["two domains in one name", [at("ada@elsewhere.example@uni.example")], byDomain],
    ["a domain below", [at("ada@cs.uni.example")], byDomain],
    ["a name that is no text", [{ preferred_username: ["ada@uni.example"] }], byDomain],
    ["an e-mail address of another domain", [{ ...UNI, email: "ada@elsewhere.example" }], byMail],
    ["no e-mail address", [{ preferred_username: "ada@uni.example" }], byMail],
    ["another UUID", [UNI, { ...UNI, identity_provider: "id-2" }], byId],
    ["no UUID", [{ preferred_username: "ada@uni.example" }], byId],
  ] as const)
    test(`is wrong: ${what}`, () => {
      assert.throws(() => assertIdentityProvider(said, settings), { code: "GLOBUS_IDENTITY_PROVIDER" });
    });
});

describe("the name", () => {
  test("stands before the first @", () => {
    assert.equal(nameOf([UNI], none), "ada");
    assert.equal(nameOf([{}, UNI], { usernameFromEmail: true }), "ada.l");
    assert.equal(nameOf([{ preferred_username: "ada" }], none), "ada");
  });

  test("is missing where nothing stands there, or an e-mail address is not verified", () => {
    const missing = { code: "GLOBUS_NAME_MISSING" };
    assert.throws(() => nameOf([{}], none), missing);
    assert.throws(() => nameOf([{ preferred_username: "@uni.example" }], none), missing);
    assert.throws(() => nameOf([{ ...UNI, email_verified: false }], { usernameFromEmail: true }), missing);
    assert.equal(nameOf([{ ...UNI, email_verified: false }], none), "ada");
  });
});
