export { openSsh } from "./open-ssh.ts";
export { type SshOptions, sshOptions } from "./options.ts";
export { shellLine } from "./shell-line.ts";
export * from "./ssh.ts";
