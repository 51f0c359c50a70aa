import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { authPlugin, PluginError, Type } from "@elara/sdk";
import { errors } from "./errors.ts";
import { probe, transact } from "./helper.ts";
import { Pool } from "./pool.ts";
import { verdictOf } from "./verdict.ts";

const MAX_NAME_BYTES = 256;
const MAX_SECRET_BYTES = 1024;
const SERVICE_FOLDERS = ["/etc/pam.d", "/usr/lib/pam.d", "/usr/etc/pam.d"];
const PYTHONS = ["/usr/bin/python3", "/usr/libexec/platform-python", "/usr/local/bin/python3"];

const options = Type.Object(
  {
    service: Type.String({
      default: "login",
      pattern: "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$",
      description:
        "PAM service, a file in /etc/pam.d. `login` exists everywhere; a file of your own is better.",
    }),
    python: Type.String({
      default: "",
      description: "Python 3 that runs the PAM helper; empty: /usr/bin/python3, else the first on PATH.",
    }),
    otp: Type.Boolean({
      default: false,
      description: "Ask for a one-time password too; PAM's second hidden prompt gets it.",
    }),
    realm: Type.String({
      default: "local",
      pattern: "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$",
      description:
        "Names the account database in stored identities. Keep it when the hub moves to another machine.",
    }),
    concurrent: Type.Integer({
      default: 16,
      minimum: 1,
      maximum: 256,
      description: "PAM helpers at a time; more log-ins wait.",
    }),
    timeoutSeconds: Type.Number({
      default: 15,
      exclusiveMinimum: 0,
      maximum: 120,
      description: "When a log-in gives up and its helper is killed; waiting for a free helper counts.",
    }),
  },
  { additionalProperties: false },
);

const fits = (text: string, bytes: number): boolean =>
  text !== "" && text.isWellFormed() && !text.includes("\0") && Buffer.byteLength(text) <= bytes;

/** The accounts of this machine: password and account check by PAM, each in a process of its own. */
export default authPlugin({
  name: "pam",
  label: "your system account",
  options,
  errors,
  setup(options, host) {
    const python = options.python || (PYTHONS.find((path) => existsSync(path)) ?? "python3");
    const pool = new Pool(options.concurrent, options.concurrent * 16);
    const closing = new AbortController();
    host.onClose(() => closing.abort(new PluginError(errors, "PAM_UNAVAILABLE")));

    return {
      begin: () => ({
        kind: "form",
        fields: [
          { name: "username", label: "Username", type: "text", autocomplete: "username" },
          { name: "password", label: "Password", type: "password", autocomplete: "current-password" },
          ...(options.otp
            ? [
                {
                  name: "otp",
                  label: "One-time password",
                  type: "password" as const,
                  autocomplete: "one-time-code",
                },
              ]
            : []),
        ],
      }),

      async finish({ input, signal: login }) {
        const user = input.username ?? "";
        const secrets = [input.password ?? "", ...(options.otp ? [input.otp ?? ""] : [])];
        if (!fits(user, MAX_NAME_BYTES) || !secrets.every((secret) => fits(secret, MAX_SECRET_BYTES)))
          return undefined;

        const clock = new AbortController();
        const timer = setTimeout(
          () => clock.abort(new PluginError(errors, "PAM_TIMEOUT")),
          options.timeoutSeconds * 1000,
        );
        const signal = AbortSignal.any([login, closing.signal, clock.signal]);
        const leave = await pool.enter(signal).catch((error) => {
          clearTimeout(timer);
          throw error;
        });
        try {
          if (!leave) throw new PluginError(errors, "PAM_BUSY");
          const answer = await transact(python, { service: options.service, user, secrets }, signal);
          leave();
          clearTimeout(timer);
          const verdict = verdictOf(answer);
          if (verdict === "accepted") {
            // The name as PAM spells it, not as it was typed.
            const name = answer.user ?? user;
            return { issuer: `pam:${options.realm}`, subject: name, name };
          }
          host.log.info({ code: answer.code, phase: answer.phase }, "pam refused a log-in");
          // PAM's own delay, the same for unknown names and wrong passwords; no helper is kept for it.
          await sleep(answer.delayMs ?? 0, undefined, { signal: AbortSignal.any([login, closing.signal]) });
          if (verdict === "refused") return undefined;
          throw new PluginError(errors, verdict, { detail: { code: answer.code, phase: answer.phase } });
        } finally {
          clearTimeout(timer);
          leave?.();
        }
      },

      async check() {
        if (!SERVICE_FOLDERS.some((folder) => existsSync(`${folder}/${options.service}`)))
          throw new PluginError(errors, "PAM_SERVICE_MISSING", {
            operator: `${errors.PAM_SERVICE_MISSING.operator} (service: ${options.service})`,
          });
        const uid = await probe(python, AbortSignal.timeout(options.timeoutSeconds * 1000));
        if (uid !== 0)
          host.log.warn({ uid }, "pam helper does not run as root and may check only its own account");
      },
    };
  },
});
