import { mkdirSync } from "node:fs";

/**
 * Makes the data directory. Others may pass through it, not list it: servers that run as other accounts use the
 * Python environment in it. Everything private in it is closed by its own mode (keys and database 0600, folders 0700).
 */
export const makeDataDir = (dataDir: string): void =>
  void mkdirSync(dataDir, { recursive: true, mode: 0o711 });
