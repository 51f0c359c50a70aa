/** Whether this host, as a URL or a configuration has it, is the one that each machine has for itself. */
export const isLoopback = (host: string): boolean => /^(127\.\d+\.\d+\.\d+|\[?::1\]?|localhost)$/i.test(host);
