import { type Static, Type } from "typebox";

/** How to log in to other machines; plugins take it as an option of theirs. */
export const sshOptions = Type.Object(
  {
    knownHosts: Type.String({
      default: "",
      description:
        "File with the keys of the hosts, in the format of known_hosts. Empty: ~/.ssh/known_hosts of the hub's account and /etc/ssh/ssh_known_hosts. A host whose key is not in it is not talked to.",
    }),
    privateKey: Type.String({
      default: "",
      description:
        "File with the private key to log in with, without passphrase; `{username}` stands for the account. Empty: `certificateAuthority` is used.",
    }),
    certificate: Type.String({
      default: "",
      description:
        "File with the OpenSSH certificate of `privateKey`; `{username}` stands for the account. Read anew for each log-in, so others may renew it.",
    }),
    certificateAuthority: Type.Object(
      {
        key: Type.String({
          default: "",
          description:
            "File with the private key of a user authority that the hosts trust (`TrustedUserCAKeys`). The hub then signs throw-away keys, each for one account. Needs ssh-keygen.",
        }),
        validSeconds: Type.Integer({
          default: 600,
          minimum: 2,
          description: "How long such a certificate is good for; another one is made at half of that.",
        }),
      },
      { additionalProperties: false, default: {} },
    ),
    connectSeconds: Type.Number({
      default: 10,
      exclusiveMinimum: 0,
      description: "How long a log-in may take.",
    }),
    keepAliveSeconds: Type.Number({
      default: 15,
      exclusiveMinimum: 0,
      description: "How often a connection is checked; after three checks without an answer it is given up.",
    }),
    idleSeconds: Type.Number({
      default: 120,
      exclusiveMinimum: 0,
      description: "A connection that carried nothing for so long is closed.",
    }),
  },
  { additionalProperties: false, default: {} },
);
export type SshOptions = Static<typeof sshOptions>;
