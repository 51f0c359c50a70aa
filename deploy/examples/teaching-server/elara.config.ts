// A teaching server: students log in at GitHub, each has a container on this one machine.
//
// /etc/elara/elara.config.ts     this file
// /etc/elara/elara.env           GITHUB_CLIENT_ID=…, GITHUB_CLIENT_SECRET=…            (640, root:elara)
// /etc/elara/tls/                certificate.pem, key.pem                              (key: 640, root:elara)
// /var/lib/elara                 database, keys, logs                                  (700, elara)
//
// To change: hub.example.org; the organisation and the admins; images. At GitHub: an OAuth app whose callback is
// https://hub.example.org/hub/oauth_callback/github (plugins/auth-oauth/README.md). Once, for the containers:
//   docker network create --subnet 172.30.0.0/24 --gateway 172.30.0.1 hubnet
// Then: elara check --config /etc/elara/elara.config.ts && systemctl enable --now elara
import { defineConfig } from "@elara/launcher";

const images: [string, ...string[]] = [
  "quay.io/jupyter/scipy-notebook:2026-10-01",
  "quay.io/jupyter/r-notebook:2026-10-01",
];

export default defineConfig({
  hub: { publicUrl: "https://hub.example.org", dataDir: "/var/lib/elara" },
  network: {
    host: "0.0.0.0",
    port: 443,
    redirectPort: 80,
    tls: { certificate: "tls/certificate.pem", key: "tls/key.pem" },
    // Containers reach the hub at their network's gateway.
    internalHost: "172.30.0.1",
  },
  authenticators: [
    {
      use: "github",
      // The client id is read from GITHUB_CLIENT_ID.
      options: {
        clientSecret: { env: "GITHUB_CLIENT_SECRET" },
        allowedOrganizations: ["example-course:students", "example-course:lecturers"],
      },
    },
  ],
  auth: { adminUsers: ["grace"] },
  spawners: [
    {
      use: "docker",
      options: {
        images,
        network: "hubnet",
        memory: "2G",
        cpus: 1,
        volumes: [{ source: "home-{username}", target: "/home/jovyan" }],
      },
    },
  ],
  spawn: {
    profiles: [
      {
        slug: "lab",
        title: "JupyterLab",
        description: "2 GB, one processor",
        spawner: "docker",
        fields: { image: true },
      },
    ],
  },
  culler: { idleSeconds: 3600 },
});
