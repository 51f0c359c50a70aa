// An HPC centre: people log in at Globus and keep its transfer tokens in their notebooks; servers are Slurm jobs under
// their own accounts, by sudo on this machine or over SSH on a login node. Services run apart, several of each, on as
// many machines as you like; all get this one file.
//
// /etc/elara/elara.config.ts     this file, the same everywhere
// /etc/elara/elara.env           MONGODB_URI=…, GLOBUS_CLIENT_SECRET=…                 (640, root:elara)
// /etc/elara/cookie_secret       made once: elara init --keys /etc/elara               (600, elara; the same everywhere)
// /etc/elara/crypt_key           made with it; encrypts the tokens                     (600, elara; the same everywhere)
// /etc/elara/nats.conf           for nats-server -c on nats.example.org, made there once; --listen lets the others in:
//                                elara nats config --listen 0.0.0.0:4222 --store /var/lib/nats --out /etc/elara/nats.conf \
//                                  --tls-certificate /etc/nats/certificate.pem --tls-key /etc/nats/key.pem
// /etc/elara/tls/                certificate.pem, key.pem                              (key: 640, root:elara)
// /etc/elara/ssh/                user_ca, known_hosts                                  (user_ca: 600, elara)
// /etc/sudoers.d/elara           plugins/spawner-batch/README.md tells what belongs there
// /var/lib/elara                 working files of this machine                         (700, elara)
//
// To change: names of hosts and addresses, client id, identity provider, groups, partitions. At Globus: a confidential
// client whose redirect URL is https://hub.example.org/hub/oauth_callback/globus (plugins/auth-oauth/README.md).
// Then, on each machine: elara check, and the units it shall run: systemctl enable --now elara-auth elara-web …
import { hostname } from "node:os";
import { defineConfig } from "@elara/launcher";

export default defineConfig({
  hub: { publicUrl: "https://hub.example.org", dataDir: "/var/lib/elara", namedServers: true },
  network: {
    host: "0.0.0.0",
    port: 443,
    redirectPort: 80,
    tls: { certificate: "tls/certificate.pem", key: "tls/key.pem" },
    // Compute nodes reach the hub here; on the machine of the proxy.
    internalHost: "0.0.0.0",
    internalUrl: "http://hub-internal.example.org:8081",
    // Each machine's services stand with its own name.
    serviceHost: hostname(),
  },
  // Its certificate is signed by whom the machines trust; else: tls: { ca: "tls/nats-ca.pem" }.
  bus: { use: "nats", servers: ["nats.example.org:4222"], tls: {} },
  store: { use: "mongo", uri: { env: "MONGODB_URI" } },
  secrets: { cookieSecret: { file: "cookie_secret" }, cryptKey: { file: "crypt_key" } },
  log: { format: "json" },
  authenticators: [
    {
      use: "globus",
      options: {
        clientId: "00000000-0000-4000-8000-000000000000",
        clientSecret: { env: "GLOBUS_CLIENT_SECRET" },
        // Only accounts of the centre's own institution: their names are the system accounts.
        identityProvider: "example.edu",
        allowedGlobusGroups: ["11111111-1111-4111-8111-111111111111"],
        adminGlobusGroups: ["22222222-2222-4222-8222-222222222222"],
        scope: ["urn:globus:auth:scope:transfer.api.globus.org:all"],
      },
    },
  ],
  spawners: [
    {
      use: "batch",
      name: "slurm",
      options: { transport: "sudo", partition: "main", walltimeMinutes: 480 },
    },
    {
      use: "batch",
      name: "slurm-ssh",
      options: {
        transport: "ssh",
        login: {
          host: "login.example.org",
          account: "elara",
          ssh: {
            knownHosts: "/etc/elara/ssh/known_hosts",
            certificateAuthority: { key: "/etc/elara/ssh/user_ca" },
          },
        },
        partition: "main",
      },
    },
  ],
  spawn: {
    profiles: [
      {
        slug: "small",
        title: "Small",
        description: "One core, 4 GB, up to eight hours",
        spawner: "slurm",
        options: { cpus: 1, memoryMiB: 4096 },
      },
      {
        slug: "own",
        title: "As you need it",
        spawner: "slurm-ssh",
        fields: { cpus: true, memoryMiB: true, walltimeMinutes: true },
      },
    ],
  },
});
