// Containers with a choice of software in place of image names, and variables that all sessions of a centre get.
// In elara.config.ts: spawners: [{ use: "./software-spawner.ts" }]
import { Type, wrapSpawner } from "@elara/sdk";
import docker from "@elara/spawner-docker";

const images = {
  python: "registry.example.org/lab-python:2026.11",
  r: "registry.example.org/lab-r:2026.11",
};
const software = Type.Union([Type.Literal("python"), Type.Literal("r")], {
  title: "Software",
  default: "python",
  userChoice: true,
});

export default wrapSpawner(docker, {
  name: "software",
  // `images` and `image` take the place of docker's own: the list above, and nobody chooses an image by its name.
  options: {
    software,
    images: Type.Array(Type.String(), { default: Object.values(images) }),
    image: Type.String({ default: "" }),
  },
  request: ({ options, env }) => ({
    env: { ...env, CENTRE_DATA: "/data/public", OMP_NUM_THREADS: "4" },
    options: { ...options, image: images[options.software] },
  }),
});
