export { defineConfig, type HubConfiguration } from "./define-config.ts";
