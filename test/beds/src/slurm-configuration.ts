/** What one Slurm on one machine is made of. */
export interface SlurmPlace {
  readonly dir: string;
  /** Short name of this machine. */
  readonly hostname: string;
  /** Of the controller, then one for each node. */
  readonly ports: readonly number[];
  readonly minJobAge: number;
  /** Of each node. */
  readonly cpus: number;
}

/** The text of slurm.conf, and the nodes it names. Each node is a slurmd of its own with an address of its own. */
export function configurationOf({ dir, hostname, ports, minJobAge, cpus }: SlurmPlace): {
  text: string;
  nodes: { name: string; address: string }[];
} {
  const [controller = 0, ...nodePorts] = ports;
  const nodes = nodePorts.map((_, at) => ({ name: `n${at + 1}`, address: `127.0.0.${at + 11}` }));
  const text = `ClusterName=testbed
SlurmctldHost=${hostname}(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=${dir}/run/munge.socket
CryptoType=crypto/munge
SlurmctldPort=${controller}
StateSaveLocation=${dir}/state
SlurmdSpoolDir=${dir}/spool/%n
SlurmctldPidFile=${dir}/run/slurmctld.pid
SlurmdPidFile=${dir}/run/slurmd.%n.pid
SlurmctldLogFile=${dir}/log/slurmctld.log
SlurmdLogFile=${dir}/log/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=2,bf_interval=2,sched_min_interval=0
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
ReturnToService=2
SlurmctldTimeout=30
SlurmdTimeout=30
MinJobAge=${minJobAge}
KillWait=5
InactiveLimit=0
SlurmdParameters=config_overrides
PropagateResourceLimits=NONE
${nodes
  .map(
    ({ name, address }, at) =>
      `NodeName=${name} NodeHostname=${hostname} NodeAddr=${address} Port=${nodePorts[at]} CPUs=${cpus} RealMemory=${Math.max(2000, cpus * 100)} State=UNKNOWN`,
  )
  .join("\n")}
PartitionName=main Nodes=n[1-${nodes.length}] Default=YES MaxTime=08:00:00 DefaultTime=00:30:00 DefMemPerCPU=100 State=UP
PartitionName=short Nodes=n1 MaxTime=00:01:00 DefaultTime=00:01:00 DefMemPerCPU=100 State=UP
PartitionName=closed Nodes=n1 MaxTime=00:10:00 DefMemPerCPU=100 State=DOWN
`;
  return { text, nodes };
}
