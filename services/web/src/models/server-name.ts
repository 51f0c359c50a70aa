import { HubError } from "@elara/contracts";

const NAME = /^[a-z](?:[a-z0-9]|-(?=[a-z0-9])){0,29}$/;

/** Refuses names that are no server name: 1–30 lower-case letters, digits, single hyphens (contract §5.3). */
export function checkServerName(name: string): void {
  if (!NAME.test(name)) {
    throw new HubError("SERVER_NAME_INVALID", {
      message: `Invalid server_name: '${name.slice(0, 80)}'. Use 1 to 30 lower-case letters, digits and single hyphens, starting with a letter.`,
    });
  }
}
