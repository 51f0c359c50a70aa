export * from "./ssh.ts";
