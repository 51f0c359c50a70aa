import { HubError } from "@elara/contracts";

const LOOPBACK = /^(127\.\d+\.\d+\.\d+|::1|\[::1\]|localhost)$/i;

/** Whether only this machine reaches the address. */
export const isLoopback = (host: string): boolean => LOOPBACK.test(host);

/** Throws CONFIG_ADDRESS_PUBLIC for an address that others reach without TLS, unless that was asked for. */
export function refusePublicAddress(
  network: { readonly host: string; readonly behindProxy: boolean; readonly insecure: boolean },
  hasTls: boolean,
): void {
  if (hasTls || isLoopback(network.host) || network.behindProxy || network.insecure) return;
  throw new HubError("CONFIG_ADDRESS_PUBLIC", {
    operator: `network.host: ${network.host} is a public address and there is no certificate: passwords would travel in clear. Set network.tls { certificate, key } (\`elara cert --self-signed\` makes a pair to try), or listen behind a proxy that terminates TLS (network.behindProxy: true), or accept it on a closed network with network.insecure: true.`,
  });
}
