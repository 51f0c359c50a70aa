import assert from "node:assert/strict";
import { test } from "node:test";
import { serverVariableFault } from "@elara/sdk";

test("an authenticator sets variables of its own, never what says whose server it is or which code runs", () => {
  for (const name of ["GLOBUS_DATA", "MY_TOKEN", "PYTHONUNBUFFERED", "ENVIRONMENT", "JUPYTER_TOKENS"])
    assert.equal(serverVariableFault(name, "x"), undefined, name);
  const refused =
    "PATH HOME USER LOGNAME SHELL JUPYTERHUB_API_TOKEN JPY_API_TOKEN ELARA_TAG LD_PRELOAD LD_LIBRARY_PATH " +
    "PYTHONPATH PYTHONSTARTUP PYTHONHOME PYTHONUSERBASE NODE_OPTIONS NODE_PATH BASH_ENV ENV JUPYTER_CONFIG_DIR " +
    "JUPYTER_CONFIG_PATH JUPYTER_PATH IPYTHONDIR";
  for (const name of refused.split(" ")) assert.ok(serverVariableFault(name, "x"), name);
  for (const name of ["", "a b", "1A", "A=B", "ä"]) assert.ok(serverVariableFault(name, "x"), name);
  for (const value of [1, undefined, null, "a\0b"]) assert.ok(serverVariableFault("A", value));
});

test("a variable is as long as Linux takes it, with its name", () => {
  const room = 128 * 1024 - "A=\0".length;
  assert.equal(serverVariableFault("A", "x".repeat(room)), undefined);
  assert.match(serverVariableFault("A", "x".repeat(room + 1)) ?? "", /128 KiB/);
  assert.ok(serverVariableFault("A", "ü".repeat(room / 2 + 1)));
});
