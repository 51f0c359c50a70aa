/** Reasons of waiting by the begin of Slurm's word, the longest first where one begins another. */
const ADVICE: readonly (readonly [prefix: string, advice: string])[] = [
  ["Resources", "It waits for free nodes"],
  ["Priority", "Other jobs come first"],
  [
    "PartitionTimeLimit",
    "It asks for more time than the partition allows and will never start: cancel it and ask for less time",
  ],
  [
    "PartitionNodeLimit",
    "It asks for more than the partition allows and will never start: cancel it and ask for less",
  ],
  ["PartitionDown", "The partition is closed at the moment"],
  ["PartitionInactive", "The partition is closed at the moment"],
  [
    "PartitionConfig",
    "It asks for more than the partition allows: cancel it and ask for less, or choose another partition",
  ],
  [
    "ReqNodeNotAvail",
    "Nodes it could run on are reserved or down, perhaps for maintenance: less time may help",
  ],
  ["BadConstraints", "No node has what it asks for: cancel it and ask for something else"],
  ["QOSMax", "You have reached a limit of this quality of service: end other jobs or ask for less"],
  ["QOSGrp", "All users together have reached a limit of this quality of service"],
  ["QOSMin", "It asks for less than this quality of service demands"],
  ["QOS", "A limit of the quality of service holds it back"],
  ["AssocGrp", "Your project has reached a limit"],
  ["AssocMax", "You have reached a limit of your project: end other jobs or ask for less"],
  ["Assoc", "A limit of your project holds it back"],
  ["MaxCpu", "Your project has reached a limit"],
  ["InvalidAccount", "Your account is not known or not active there: ask the centre"],
  ["InvalidQOS", "This quality of service is not open to you: choose another one"],
  ["Licenses", "It waits for a licence that others use"],
  ["Dependency", "It waits for another job"],
  ["Reservation", "It waits for its reservation to begin"],
  ["BeginTime", "Its earliest start time has not come"],
  ["JobHeldUser", "You hold it back: release it, or cancel it"],
  ["JobHeldAdmin", "The administrators hold it back: ask the centre"],
  ["NodeDown", "A node it needs is down"],
  ["JobArrayTaskLimit", "Too many tasks of this array run"],
  ["None", "It was just handed in"],
];

/** What one of Slurm's reasons means for people; undefined for one that is not known. */
export const slurmAdvice = (reason: string): string | undefined =>
  ADVICE.find(([prefix]) => reason.startsWith(prefix))?.[1];
