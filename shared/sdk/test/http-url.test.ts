import assert from "node:assert/strict";
import { test } from "node:test";
import { httpUrl } from "../src/index.ts";

test("an address of IPv6 stands in brackets, once", () => {
  assert.equal(httpUrl("node1.example.org", 20_000), "http://node1.example.org:20000");
  assert.equal(httpUrl("192.0.2.1", 20_000), "http://192.0.2.1:20000");
  assert.equal(httpUrl("2001:db8::1", 20_000), "http://[2001:db8::1]:20000");
  assert.equal(httpUrl("[2001:db8::1]", 20_000), "http://[2001:db8::1]:20000");
});
