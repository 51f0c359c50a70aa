// Containers on the hub's machine: two sizes to choose from, homes that stay, the hub reached by the network's gateway.
// Once: docker network create --subnet 172.30.0.0/24 --gateway 172.30.0.1 hubnet
// Then: elara check --config docker.config.ts        (it starts a container that asks the hub)
import { defineConfig } from "@elara/launcher";

const images: [string, ...string[]] = [
  "quay.io/jupyter/scipy-notebook:2026-10-01",
  "quay.io/jupyter/r-notebook:2026-10-01",
];

export default defineConfig({
  network: { internalHost: "172.30.0.1" },
  authenticators: ["pam"],
  auth: { allowAll: true },
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
      // An image that is new here takes its time; each step of the pull winds this up again.
      clocks: { submitSeconds: 120 },
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
      {
        slug: "large",
        title: "Large",
        description: "For lecturers: memory as you need it",
        spawner: "docker",
        options: { cpus: 4 },
        fields: { image: true, memory: { enum: ["8G", "16G", "32G"], default: "8G" } },
        visibleTo: { users: ["ada", "grace"], admins: true },
      },
    ],
  },
});
