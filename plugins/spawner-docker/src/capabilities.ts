/** Capabilities of Linux, capabilities(7). */
const KNOWN = new Set(
  [
    "AUDIT_CONTROL AUDIT_READ AUDIT_WRITE BLOCK_SUSPEND BPF CHECKPOINT_RESTORE CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER",
    "FSETID IPC_LOCK IPC_OWNER KILL LEASE LINUX_IMMUTABLE MAC_ADMIN MAC_OVERRIDE MKNOD NET_ADMIN NET_BIND_SERVICE",
    "NET_BROADCAST NET_RAW PERFMON SETFCAP SETGID SETPCAP SETUID SYSLOG SYS_ADMIN SYS_BOOT SYS_CHROOT SYS_MODULE SYS_NICE",
    "SYS_PACCT SYS_PTRACE SYS_RAWIO SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG WAKE_ALARM",
  ].flatMap((line) => line.split(" ")),
);

/** What is wrong with the name of a capability, as engines take them: `NET_RAW`, `CAP_NET_RAW`, `ALL`. */
export const capabilityFault = (name: string): string | undefined => {
  const plain = name.toUpperCase();
  return plain === "ALL" || KNOWN.has(plain.replace(/^CAP_/, ""))
    ? undefined
    : `"${name}" is no capability of Linux; they are named e.g. NET_BIND_SERVICE or ALL`;
};
