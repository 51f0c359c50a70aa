import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { HubError, type ProfileField } from "@elara/contracts";
import type { PublishedProfile } from "@elara/runtime/store/read/profiles";
import { chosenOf, formView, hasChoices } from "../src/form/spawn-form.ts";

const field = (name: string, schema: Record<string, unknown>): ProfileField => ({
  name,
  title: "",
  description: "",
  schema,
});
const profile = (slug: string, fields: ProfileField[], backend = "local"): PublishedProfile => ({
  _id: slug,
  title: slug,
  description: "",
  backend,
  position: 0,
  fields,
  visibleTo: { everyone: true, users: [], admins: false },
  offered: {},
  changedAt: "2026-11-22T12:00:00.000Z",
});
const small = profile("small", [
  field("cores", { type: "integer", minimum: 1, maximum: 4, default: 2, unit: "cores" }),
  field("hours", { type: "number", default: 1.5 }),
  field("gpu", { type: "boolean", default: false }),
  field("image", { enum: ["lab:1", "lab:2"], default: "lab:2" }),
  field("level", { anyOf: [{ const: 1, title: "low" }, { const: 2 }], default: 1 }),
  field("account", { type: "string", pattern: "^[a-z]+$", maxLength: 8 }),
  field("note", { type: "string", default: "" }),
  field("modules", { type: "array", items: { type: "string" }, default: [] }),
  field("features", { type: "array", items: { enum: ["a", "b"] }, default: ["a"] }),
  field("deep", { type: "object", default: {} }),
]);
const large = profile("large", [field("cores", { type: "integer", default: 32 })], "slurm");

const shown = (...given: Parameters<typeof formView>) =>
  Object.fromEntries(
    formView(...given)
      .profiles.flatMap(({ fields }) => fields)
      .map(({ key, kind, text, isTicked, choices }) => {
        const several = choices.filter((choice) => choice.isChosen).map((choice) => choice.text);
        return [key, kind === "checkbox" ? isTicked : kind === "checkboxes" ? several : text];
      }),
  );

describe("the fields of the spawn form", () => {
  it("follow from the schema: one control for each kind of value", () => {
    const { profiles } = formView([small], { sent: {}, last: undefined });
    assert.deepEqual(
      profiles[0]?.fields.map(({ kind }) => kind),
      ["number", "number", "checkbox", "select", "select", "text", "text", "lines", "checkboxes"],
    );
    const [cores, hours, , image, level, account, note] = profiles[0]?.fields ?? [];
    assert.deepEqual([cores?.min, cores?.max, cores?.step, cores?.unit], ["1", "4", "1", "cores"]);
    assert.equal(cores?.range, "1 to 4 cores");
    assert.deepEqual([hours?.step, hours?.max], ["any", ""]);
    assert.deepEqual(
      image?.choices.map(({ title }) => title),
      ["lab:1", "lab:2"],
    );
    assert.deepEqual(
      level?.choices.map(({ title }) => title),
      ["low", "2"],
    );
    assert.ok(new RegExp(`^(?:${account?.pattern})$`, "v").test("abc"));
    assert.ok(!new RegExp(`^(?:${account?.pattern})$`, "v").test("ab1"));
    assert.deepEqual([account?.maxLength, account?.isRequired, note?.isRequired], ["8", true, false]);
  });

  it("leave a pattern that browsers would refuse to the check of the order", () => {
    const strange = profile("x", [field("a", { type: "string", pattern: "^[a-z-]+$" })]);
    const [view] = formView([strange], { sent: {}, last: undefined }).profiles[0]?.fields ?? [];
    assert.equal(view?.pattern, "");
  });

  it("ask for a profile or for fields, and for nothing where there is neither", () => {
    assert.equal(hasChoices([]), false);
    assert.equal(hasChoices([profile("only", [])]), false);
    assert.equal(hasChoices([profile("only", [field("deep", { type: "object" })])]), false);
    assert.equal(hasChoices([profile("a", []), profile("b", [])]), true);
    assert.equal(hasChoices([large]), true);
  });

  it("show the defaults, else the choices of the last start, else what a link says", () => {
    assert.deepEqual(shown([small], { sent: {}, last: undefined }), {
      "small.cores": "2",
      "small.hours": "1.5",
      "small.gpu": false,
      "small.image": "lab:2",
      "small.level": "1",
      "small.account": "",
      "small.note": "",
      "small.modules": "",
      "small.features": ["a"],
    });
    const last = { profile: "small", options: { cores: 3, gpu: true, image: "gone:1", modules: ["x", "y"] } };
    const kept = shown([small, large], { sent: {}, last });
    assert.deepEqual(
      [
        kept["small.cores"],
        kept["small.gpu"],
        kept["small.image"],
        kept["small.modules"],
        kept["large.cores"],
      ],
      ["3", true, "lab:2", "x\ny", "32"],
    );
    const link = shown([small, large], { sent: { profile: "large", cores: "64" }, last });
    assert.deepEqual([link["large.cores"], link["small.cores"]], ["64", "3"]);
  });

  it("choose the profile of the link, else of the last start, else the first; never one that is not offered", () => {
    const chosen = (sent: Record<string, string>, last?: string) =>
      formView([small, large], {
        sent,
        last: last ? { profile: last, options: {} } : undefined,
      }).profiles.find(({ isChosen }) => isChosen)?.slug;
    assert.equal(chosen({}), "small");
    assert.equal(chosen({}, "large"), "large");
    assert.equal(chosen({ profile: "small" }, "large"), "small");
    assert.equal(chosen({ profile: "secret" }, "hidden"), "small");
  });

  it("come back as values of their types", () => {
    const sent = {
      profile: "small",
      "small.cores": "4",
      "small.hours": "0.5",
      "small.gpu": ["false", "true"],
      "small.image": "lab:1",
      "small.level": "2",
      "small.account": "phys",
      "small.note": "",
      "small.modules": " gcc \r\n\r\npython",
      "small.features": ["", "b"],
      "large.cores": "99",
      next: "/x",
    };
    assert.deepEqual(chosenOf([small, large], sent), {
      profile: "small",
      options: {
        cores: 4,
        hours: 0.5,
        gpu: true,
        image: "lab:1",
        level: 2,
        account: "phys",
        note: "",
        modules: ["gcc", "python"],
        features: ["b"],
      },
    });
    const off = chosenOf([small], { "small.gpu": "false", "small.features": "", "small.account": "" });
    assert.deepEqual(off, { profile: "small", options: { gpu: false, features: [] } });
  });

  it("keep what does not fit its type as it was written, for the check of the order to name", () => {
    const sent = { profile: "small", "small.cores": "many", "small.image": "evil:1", "small.gpu": "perhaps" };
    assert.deepEqual(chosenOf([small], sent).options, { cores: "many", image: "evil:1", gpu: "perhaps" });
  });

  it("say nothing of a profile that is not offered: the order is refused as for one that does not exist", () => {
    assert.deepEqual(chosenOf([small], { profile: "secret", cores: "4" }), {
      profile: "secret",
      options: {},
    });
  });

  it("show a refusal at its field, with what was entered", () => {
    const refusal = new HubError("SPAWN_OPTIONS_INVALID", { message: "Too many.", field: "cores" });
    const sent = { profile: "large", "large.cores": "many", "small.cores": "1" };
    const view = formView([small, large], { sent, last: undefined, refusal });
    const [one] = view.profiles[0]?.fields ?? [];
    const [other] = view.profiles[1]?.fields ?? [];
    assert.deepEqual([one?.error, one?.text, other?.error, other?.text], ["", "1", "Too many.", "many"]);
    assert.deepEqual([view.notice, view.profileError], ["", ""]);
  });

  it("show a refusal of the profile at the profiles, and any other above", () => {
    const of = (field: string) =>
      formView([small, large], {
        sent: {},
        last: undefined,
        refusal: new HubError("SPAWN_PROFILE_UNKNOWN", { field }),
      });
    assert.equal(of("profile").profileError, "There is no such profile.");
    assert.equal(of("deep").notice, "There is no such profile.");
    assert.equal(of("").notice, "There is no such profile.");
  });
});
