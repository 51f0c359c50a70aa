import { statSync } from "node:fs";
import type { Server } from "node:https";
import { HubError } from "@elara/contracts";
import type { Clock } from "@elara/runtime/clock";
import type { Logger } from "pino";
import { type Certificate, type CertificateFiles, DAY_MS, readCertificate } from "./certificate.ts";

/** From here on each start and each look says that the certificate ends. */
const WARN_DAYS = 14;

/** Looks at the files of a certificate and hands a new pair to the server. */
export interface CertificateWatch {
  /** Looks now. */
  look(): void;
  close(): void;
}

/**
 * Takes up a renewed certificate: connections that stand go on with the one they began with, new ones get the new one.
 * Files are looked at by their state, not by the kernel's notices: those miss renewals through links and on shared
 * disks. A pair that does not fit is told once, and the one in use stays: two files are rarely written at one moment.
 */
export function watchCertificate(parts: {
  readonly files: CertificateFiles;
  readonly inUse: Certificate;
  readonly server: Pick<Server, "setSecureContext">;
  readonly publicUrl: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly everyMs: number;
}): CertificateWatch {
  const { files, server, publicUrl, clock, log } = parts;
  let { inUse } = parts;
  // Nothing yet: the files may have changed since the pair in use was read.
  let seen = "";
  let refusedFor = "";
  let warnedOn = "";

  function warnBeforeEnd(): void {
    const days = Math.floor((inUse.validTo - clock.now()) / DAY_MS);
    const today = new Date(clock.now()).toISOString().slice(0, 10);
    if (days >= WARN_DAYS || warnedOn === today) return;
    warnedOn = today;
    log.warn({ file: files.certificate, days }, "certificate ends soon");
  }

  function look(): void {
    warnBeforeEnd();
    let now = "";
    try {
      now = stateOf(files);
      if (now === seen) return;
      const next = readCertificate(files, { now: clock.now(), publicUrl });
      const isSame = next.cert.equals(inUse.cert) && next.key.equals(inUse.key);
      if (!isSame) {
        server.setSecureContext({ cert: next.cert, key: next.key });
        inUse = next;
        log.info({ names: next.names, until: new Date(next.validTo).toISOString() }, "certificate taken up");
      }
      seen = now;
      refusedFor = "";
    } catch (error) {
      // Looked at again each time, as it may only be too early for it; told once.
      const why = `${now} ${error instanceof HubError ? error.operator : error}`;
      if (why === refusedFor) return;
      refusedFor = why;
      log.warn({ err: error }, "new certificate refused, the one in use stays");
    }
  }

  warnBeforeEnd();
  const timer = setInterval(look, parts.everyMs);
  timer.unref();
  return { look, close: () => clearInterval(timer) };
}

/** Changes whenever one of the files does, links followed. */
const stateOf = (files: CertificateFiles): string =>
  [files.certificate, files.key]
    .map((file) => {
      const stat = statSync(file, { throwIfNoEntry: false, bigint: true });
      return stat ? `${stat.dev}.${stat.ino}.${stat.size}.${stat.mtimeNs}.${stat.mode}` : "-";
    })
    .join(" ");
