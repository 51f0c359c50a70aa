import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { candidates } from "../src/candidates.ts";
import { pathTable } from "../src/table.ts";
import { hubPathOf } from "../src/unrouted.ts";

suite("route table", () => {
  const table = pathTable<string>();
  for (const path of ["/user/ada/", "/user/a@b/", "/user/ada/lab2/", "/services/idle", "/user/zoë/", "/hub"])
    table.set(path, path);

  const cases: [path: string, found: string | undefined][] = [
    ["/user/ada/", "/user/ada/"],
    ["/user/ada", "/user/ada/"],
    ["/user/ada?x=/user/a@b/", "/user/ada/"],
    ["/user/ada/lab/tree", "/user/ada/"],
    ["/user/ada/lab2", "/user/ada/lab2/"],
    ["/user/ada/lab2/x?y", "/user/ada/lab2/"],
    ["/user/ada/lab22/x", "/user/ada/"],
    ["/user/adam/", undefined],
    ["/user/a@b/x", "/user/a@b/"],
    ["/user/a%40b/x", "/user/a@b/"],
    ["/user/a@bc", undefined],
    ["/user/a%40bc/", undefined],
    ["/user/%61da/x", "/user/ada/"],
    ["/user/zo%C3%AB/x", "/user/zoë/"],
    ["/%75ser/ada/", "/user/ada/"],
    ["/user/ada%2Flab2/", undefined],
    ["/user%2Fada/", undefined],
    ["/user/%zz/", undefined],
    ["/user/ada/%zz/", "/user/ada/"],
    ["/user/ada/..%2Fbob/", "/user/ada/"],
    ["//user/ada/", undefined],
    ["/user//ada/", undefined],
    ["/user/ada//x", "/user/ada/"],
    ["/user/ada;v=1/", undefined],
    ["/user/ADA/", undefined],
    ["/hubcap", undefined],
    ["/hub", "/hub"],
    ["/", undefined],
    ["", undefined],
    ["/services/idle/x", "/services/idle"],
  ];
  for (const [path, found] of cases)
    test(`${path} → ${found ?? "nothing"}`, () => assert.equal(table.find(path), found));

  test("given a route taken out, the shorter one answers again and nothing is left behind", () => {
    const small = pathTable<string>();
    small.set("/a/", "a");
    small.set("/a/b/c/", "abc");
    small.delete("/a/b/c/");
    assert.equal(small.find("/a/b/c/d"), "a");
    small.delete("/a/");
    small.delete("/never/there");
    assert.equal(small.size, 0);
    assert.equal(small.find("/a/"), undefined);
  });

  test("a thousand routes: each is found, and none for its neighbour", () => {
    const many = pathTable<number>();
    for (let i = 0; i < 1000; i++) many.set(`/user/u${i}/`, i);
    assert.equal(many.size, 1000);
    for (let i = 0; i < 1000; i++) {
      assert.equal(many.find(`/user/u${i}/api/contents/a%20b?type=file`), i);
      assert.equal(many.find(`/user/u${i}x/api`), undefined);
    }
  });
});

suite("paths looked for in the store", () => {
  test("plain and escaped, with the base URL, three segments at most", () =>
    assert.deepEqual(candidates("/jupyter/user/a%2Bb/lab/x?q=1", "/jupyter/"), [
      "/jupyter/user/",
      "/jupyter/user/a+b/",
      "/jupyter/user/a%2Bb/",
      "/jupyter/user/a+b/lab/",
      "/jupyter/user/a%2Bb/lab/",
    ]));
  test("none outside the base URL, none behind a double slash", () => {
    assert.deepEqual(candidates("/user/ada/", "/jupyter/"), []);
    assert.deepEqual(candidates("//user/ada/", "/"), []);
    assert.deepEqual(candidates("/", "/"), []);
  });
});

suite("the hub's path for a path without route", () => {
  for (const [url, baseUrl, path] of [
    ["/user/ada/lab?x=1&y=%2F", "/", "/hub/user/ada/lab?x=1&y=%2F"],
    ["/", "/", "/hub/"],
    ["/?a=b", "/", "/hub/?a=b"],
    ["/jupyter/user/ada/", "/jupyter/", "/jupyter/hub/user/ada/"],
    ["/jupyter", "/jupyter/", "/jupyter/hub/"],
    ["/jupyter?a=b", "/jupyter/", "/jupyter/hub/?a=b"],
    ["/jupyterx", "/jupyter/", "/jupyter/hub/jupyterx"],
    ["/", "/jupyter/", "/jupyter/hub/"],
    ["//evil.example/", "/", "/hub//evil.example/"],
  ] as const)
    test(`${url} under ${baseUrl} → ${path}`, () => assert.equal(hubPathOf(url, baseUrl), path));
});
