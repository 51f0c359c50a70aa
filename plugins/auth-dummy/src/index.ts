import { createHash, timingSafeEqual } from "node:crypto";
import { authPlugin, PluginError, Type } from "@elara/sdk";

const MIN_LENGTH = 8;

const options = Type.Object(
  {
    password: Type.String({
      default: "",
      secret: true,
      description: `The one password for every name, at least ${MIN_LENGTH} characters. Give it by { env } or { file }.`,
    }),
    anyPassword: Type.Boolean({
      default: false,
      description: "Let everybody in with any password, also an empty one. For tests only.",
    }),
  },
  { additionalProperties: false },
);

const errors = {
  DUMMY_PASSWORD_SHORT: {
    status: 500,
    user: "The hub cannot start.",
    operator: `Option \`password\` of the dummy authenticator needs at least ${MIN_LENGTH} characters; \`anyPassword: true\` does without one.`,
  },
  DUMMY_PASSWORD_AMBIGUOUS: {
    status: 500,
    user: "The hub cannot start.",
    operator: "The dummy authenticator takes `password` or `anyPassword: true`, not both.",
  },
};

/** Digests have one length, so the comparison tells nothing about the password's. */
const hash = (text: string): Buffer => createHash("sha256").update(text).digest();

/** Any name, one password: for trying out, workshops and tests. */
export default authPlugin({
  name: "dummy",
  label: "the shared password",
  options,
  errors,
  setup({ password, anyPassword }) {
    if (anyPassword && password !== "") throw new PluginError(errors, "DUMMY_PASSWORD_AMBIGUOUS");
    if (!anyPassword && password.length < MIN_LENGTH) throw new PluginError(errors, "DUMMY_PASSWORD_SHORT");
    const expected = hash(password);
    return {
      begin: () => ({
        kind: "form",
        fields: [
          { name: "username", label: "Username", type: "text", autocomplete: "username" },
          { name: "password", label: "Password", type: "password", autocomplete: "current-password" },
        ],
      }),
      async finish({ input }) {
        // "Ada" and "ada" are one person: the subject is the folded name, as the hub folds names.
        const name = (input.username ?? "").normalize("NFKC").trim().toLowerCase();
        const isRight = timingSafeEqual(hash(input.password ?? ""), expected);
        if (name === "" || !(anyPassword || isRight)) return undefined;
        return { issuer: "dummy:", subject: name, name };
      },
    };
  },
});
