// The hub of compose.yaml. Change: publicUrl, the organisation, the image; put certificate.pem and key.pem into config/tls,
// readable for uid 1000.
import { networkInterfaces } from "node:os";
import { defineConfig } from "@elara/launcher";

/** Of this container's addresses, the one on the network where the services find each other. */
const inside = Object.values(networkInterfaces())
  .flatMap((each) => each ?? [])
  .find(({ address }) => address.startsWith(`${process.env.ELARA_INSIDE}.`));

export default defineConfig({
  hub: { publicUrl: "https://hub.example.org", dataDir: "/var/lib/elara" },
  network: {
    host: "0.0.0.0",
    port: 8443,
    redirectPort: 8080,
    tls: { certificate: "tls/certificate.pem", key: "tls/key.pem" },
    // Servers' containers reach the proxy by its alias on their network.
    internalHost: "0.0.0.0",
    internalUrl: "http://hub:8081",
    serviceHost: inside?.address ?? "127.0.0.1",
  },
  bus: { use: "nats", servers: ["nats:4222"] },
  store: { use: "mongo", uri: { env: "MONGODB_URI" } },
  secrets: { cookieSecret: { env: "ELARA_COOKIE_SECRET" }, cryptKey: { env: "ELARA_CRYPT_KEY" } },
  log: { format: "json" },
  authenticators: [
    {
      use: "github",
      options: { clientSecret: { env: "GITHUB_CLIENT_SECRET" }, allowedOrganizations: ["example-course"] },
    },
  ],
  spawners: [
    {
      use: "docker",
      options: {
        images: ["quay.io/jupyter/scipy-notebook:2026-10-01"],
        network: "elara-servers",
        apiUrl: "http://hub:8081/hub/api",
        memory: "2G",
        cpus: 1,
        volumes: [{ source: "home-{username}", target: "/home/jovyan" }],
      },
    },
  ],
});
